/** Chart of the confusions of a version: a matrix, or with many classes a bar for each of the most frequent mistakes. */
import type { VNode } from 'preact';
import type { Evaluation } from '../../domain/checks/evaluation.ts';
import { AXIS_BELOW, horizontalAxis } from '../parts/axes.ts';
import { type Box, boxHeight, boxWidth } from '../parts/box.ts';
import { drawRowNames, rowNamesWidth } from '../parts/class-names.ts';
import { element } from '../parts/element.ts';
import { type ChartOptions, figure } from '../parts/figure.ts';
import { svgBars } from '../parts/path-data.ts';
import { percentScale } from '../parts/scales.ts';
import { fitText, TEXT_SIZE, text, textWidth } from '../parts/text.ts';
import { type ConfusionInput, drawConfusion } from './matrix.ts';

/** With more classes, the cells of a matrix would be too small to read. */
export const MAX_MATRIX_ROWS = 30;
/** Rows of a confusion are at least this high. */
const MIN_ROW = 16;
/** Fraction of the width that the names of the classes may take. */
const NAMES = 0.6;
const ARROW = ' → ';

export interface ConfusionsInput extends Pick<Evaluation, 'examples' | 'accuracy' | 'topConfusions'> {
  readonly subtitle: string;
  readonly classNames: readonly string[];
  readonly matrix: ConfusionInput['matrix'] | null;
  readonly overlay?: ConfusionInput['overlay'];
}

export function drawConfusions(input: ConfusionsInput, options: ChartOptions): VNode {
  const { subtitle, classNames, matrix, overlay } = input;
  if (matrix === null || classNames.length > MAX_MATRIX_ROWS) return drawTopConfusions(input, options);
  return drawConfusion({ subtitle, classNames, matrix, ...(overlay && { overlay }) }, options);
}

function drawTopConfusions(
  { subtitle, classNames, examples, accuracy, topConfusions }: ConfusionsInput,
  options: ChartOptions,
): VNode {
  const { theme } = options;
  const [first] = topConfusions;
  const correct = Math.round(accuracy * examples).toLocaleString('en');
  return figure(
    {
      title: 'Most frequent confusions',
      subtitle,
      description:
        `${correct} of ${examples.toLocaleString('en')} images of ${classNames.length.toLocaleString('en')} classes are classified correctly. ` +
        (first
          ? `The most frequent mistake is ${first.className} classified as ${first.predictedClassName}: ${first.count.toLocaleString('en')} ${first.count === 1 ? 'image' : 'images'}.`
          : 'There are no mistakes.'),
      notes: ['Class → predicted class, and beside the bar the number of images.'],
    },
    options,
    (area) => {
      const top = area.top + 4;
      const bottom = area.bottom - AXIS_BELOW;
      const rows = topConfusions.slice(0, Math.max(1, Math.floor((bottom - top) / MIN_ROW)));
      // Half of the room for each of the two names.
      const room = (NAMES * boxWidth(area) - textWidth(ARROW)) / 2;
      const names = rows.map(({ className, predictedClassName }) =>
        [className, predictedClassName].map((name) => fitText(name, room)).join(ARROW),
      );
      const counts = rows.map(({ count }) => count.toLocaleString('en'));
      const plot: Box = {
        left: area.left + (rows.length === 0 ? 0 : rowNamesWidth(names, area, NAMES)),
        right: area.right - Math.max(0, ...counts.map((each) => textWidth(each))) - 8,
        ...{ top, bottom },
      };
      const row = Math.min(3 * MIN_ROW, boxHeight(plot) / Math.max(1, rows.length));
      const x = percentScale('x', [plot.left, plot.right]);
      const bars = rows.map(({ fraction }, i) => ({
        left: plot.left,
        top: top + (i + 0.15) * row,
        right: x(100 * fraction),
        bottom: top + (i + 0.85) * row,
      }));
      return [
        horizontalAxis(x, 'Images of the class (%)', plot, theme, { grid: true }),
        rows.length > 0 ? drawRowNames(names, plot, row, area, theme) : null,
        element('path', { d: svgBars(bars), fill: theme.error }),
        bars.map(({ right }, i) =>
          text(right + 4, top + (i + 0.5) * row + TEXT_SIZE / 3, counts[i]!, { fill: theme.muted }),
        ),
      ];
    },
  );
}
