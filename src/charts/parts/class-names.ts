/** Names of classes beside the rows and under the columns of a matrix. */
import { type Box, boxWidth, tenth } from './box.ts';
import { type Child, element } from './element.ts';
import { fitText, TEXT_SIZE, text, textWidth } from './text.ts';
import type { Theme } from './theme.ts';

/** Longest slanted name under the columns. */
const SLANTED = 90;
const LABEL_HEIGHT = 18;

const longestName = (classNames: readonly string[]): number =>
  Math.max(...classNames.map((name) => textWidth(name)));

/** Width of the names beside the rows, at most this fraction of the area. */
export function rowNamesWidth(classNames: readonly string[], area: Box, atMost = 0.3): number {
  return Math.min(longestName(classNames), atMost * boxWidth(area)) + 8;
}

/** Height of the names under columns of the given width. Names that do not fit are slanted. */
export function columnNamesHeight(classNames: readonly string[], width: number): number {
  if (areUpright(classNames, width)) return LABEL_HEIGHT;
  return Math.min(longestName(classNames), SLANTED) * Math.SQRT1_2 + LABEL_HEIGHT;
}

const areUpright = (classNames: readonly string[], width: number): boolean =>
  classNames.every((name) => textWidth(name) <= width - 4);

/** Every nth name, as many as fit. */
function namedEvery(cell: number): number {
  return Math.max(1, Math.ceil((TEXT_SIZE + 1) / cell));
}

export function drawRowNames(
  classNames: readonly string[],
  plot: Box,
  height: number,
  area: Box,
  theme: Theme,
): Child {
  const every = namedEvery(height);
  return element(
    'g',
    { fill: theme.muted, 'text-anchor': 'end' },
    classNames.map((name, row) =>
      row % every === 0
        ? text(
            plot.left - 6,
            plot.top + (row + 0.5) * height + TEXT_SIZE / 3,
            fitText(name, plot.left - 6 - area.left),
            {},
          )
        : null,
    ),
  );
}

export function drawColumnNames(
  classNames: readonly string[],
  plot: Box,
  width: number,
  theme: Theme,
): Child {
  const every = namedEvery(width);
  const isUpright = areUpright(classNames, width);
  return element(
    'g',
    { fill: theme.muted, 'text-anchor': isUpright ? 'middle' : 'end' },
    classNames.map((name, column) => {
      if (column % every !== 0) return null;
      const [x, y] = [plot.left + (column + 0.5) * width, plot.bottom + 14];
      if (isUpright) return text(x, y, name, {});
      const at = `${tenth(x + 3)} ${tenth(y)}`;
      return text(x + 3, y, fitText(name, SLANTED), { transform: `rotate(-45 ${at})` });
    }),
  );
}
