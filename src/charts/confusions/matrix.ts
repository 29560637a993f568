/** Chart of a confusion matrix: classes in rows, predicted classes in columns. */
import type { VNode } from 'preact';
import { type Box, boxHeight, boxWidth, tenth } from '../parts/box.ts';
import { columnNamesHeight, drawColumnNames, drawRowNames, rowNamesWidth } from '../parts/class-names.ts';
import { type Child, element } from '../parts/element.ts';
import { type ChartOptions, figure } from '../parts/figure.ts';
import { TEXT_SIZE, text, textWidth } from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';

export interface ConfusionInput {
  readonly subtitle: string;
  readonly classNames: readonly string[];
  /** classes × classes: number of images by class (rows) and predicted class (columns). */
  readonly matrix: readonly (readonly number[])[];
  /** Draws over a cell: what a page makes of it, such as a link. */
  readonly overlay?: (cell: PlacedCell) => VNode;
}

export interface PlacedCell extends Box {
  readonly label: number;
  readonly predicted: number;
  readonly count: number;
}

/** Steps of opacity, each drawn as one path. */
const SHADES = 16;
/** Opacity from which text has the colour for areas. */
export const DARK_AREA = 0.72;
/** Numbers in more cells would not be readable. */
const MAX_NUMBERED_CLASSES = 20;

/** A cell is as opaque as the square root of its fraction of the row, so that rare mistakes stay visible. */
export function drawConfusion(
  { classNames, matrix, subtitle, overlay }: ConfusionInput,
  options: ChartOptions,
): VNode {
  const totals = matrix.map((row) => row.reduce((sum, count) => sum + count, 0));
  const images = totals.reduce((sum, count) => sum + count, 0);
  const correct = matrix.reduce((sum, row, label) => sum + row[label]!, 0);
  return figure(
    {
      title: 'Confusion matrix',
      subtitle,
      description: `${correct.toLocaleString('en')} of ${images.toLocaleString('en')} images are classified correctly. ${describeMistake(matrix, classNames)}`,
      notes: [
        'Images by class (row) and predicted class (column). The shade grows with the fraction of the row.',
      ],
    },
    options,
    (area) => {
      const { theme } = options;
      const plot = cellArea(area, classNames);
      const count = classNames.length;
      const cell = { width: boxWidth(plot) / count, height: boxHeight(plot) / count };
      const opacity = (row: number, column: number) => shade(matrix[row]![column]!, totals[row]!);
      return [
        drawCells(matrix, opacity, plot, cell, theme),
        count <= 30 ? drawGrid(count, plot, cell, theme) : null,
        count <= MAX_NUMBERED_CLASSES ? drawNumbers(matrix, opacity, plot, cell, theme) : null,
        drawRowNames(classNames, plot, cell.height, area, theme),
        drawColumnNames(classNames, plot, cell.width, theme),
        overlay ? placeCells(matrix, plot, cell).map(overlay) : null,
      ];
    },
  );
}

function shade(count: number, total: number): number {
  return count === 0 ? 0 : Math.ceil(Math.sqrt(count / total) * SHADES) / SHADES;
}

function describeMistake(matrix: ConfusionInput['matrix'], classNames: readonly string[]): string {
  const mistakes = matrix.flatMap((row, label) =>
    row.map((count, predicted) => ({ label, predicted, count: label === predicted ? 0 : count })),
  );
  const { label, predicted, count } = mistakes.reduce((a, b) => (b.count > a.count ? b : a));
  return count === 0
    ? 'There are no mistakes.'
    : `The most frequent mistake is ${classNames[label]} classified as ${classNames[predicted]}: ${count.toLocaleString('en')} images.`;
}

/** Cells have whole tenths of a pixel, since they are drawn by a scaled path. */
function cellArea(area: Box, classNames: readonly string[]): Box {
  const count = classNames.length;
  const left = area.left + rowNamesWidth(classNames, area);
  const width = Math.floor(((area.right - left) / count) * 10) / 10;
  const below = columnNamesHeight(classNames, width);
  const top = area.top + 4;
  const height = Math.max(1, Math.floor(((area.bottom - below - top) / count) * 10) / 10);
  return { left, top, right: left + count * width, bottom: top + count * height };
}

interface CellSize {
  readonly width: number;
  readonly height: number;
}

function placeCells(
  matrix: ConfusionInput['matrix'],
  { left, top }: Box,
  { width, height }: CellSize,
): PlacedCell[] {
  return matrix.flatMap((counts, label) =>
    counts.map((count, predicted) => ({
      label,
      predicted,
      count,
      left: left + predicted * width,
      top: top + label * height,
      right: left + (predicted + 1) * width,
      bottom: top + (label + 1) * height,
    })),
  );
}

/** One path for each shade of correct and wrong cells. A cell is a line of unit length and width, scaled to its size. */
function drawCells(
  matrix: ConfusionInput['matrix'],
  opacity: (row: number, column: number) => number,
  plot: Box,
  cell: CellSize,
  theme: Theme,
): Child {
  const paths = new Map<string, { colour: string; opacity: number; d: string }>();
  for (const [row, counts] of matrix.entries()) {
    for (let column = 0, end = 0; column < counts.length; column = end) {
      const alpha = opacity(row, column);
      end = column + 1;
      if (alpha === 0) continue;
      // Neighbours of the same shade are one line; the cell of the right class has another colour.
      while (end < counts.length && row !== column && row !== end && opacity(row, end) === alpha) end++;
      const colour = row === column ? theme.accent : theme.error;
      const key = `${colour} ${alpha}`;
      const path = paths.get(key) ?? { colour, opacity: alpha, d: '' };
      paths.set(key, path);
      path.d += `M${column} ${row}h${end - column}`;
    }
  }
  return element(
    'g',
    {
      transform: `translate(${tenth(plot.left)} ${tenth(plot.top + cell.height / 2)}) scale(${tenth(cell.width)} ${tenth(cell.height)})`,
    },
    Array.from(paths.values(), ({ colour, opacity: alpha, d }) =>
      element('path', { d, stroke: colour, 'stroke-opacity': alpha }),
    ),
  );
}

/** Lines of paper between the cells. */
function drawGrid(count: number, plot: Box, cell: CellSize, theme: Theme): Child {
  const lines = Array.from({ length: count - 1 }, (_, i) => {
    const [x, y] = [tenth(plot.left + (i + 1) * cell.width), tenth(plot.top + (i + 1) * cell.height)];
    return `M${x} ${tenth(plot.top)}V${tenth(plot.bottom)}M${tenth(plot.left)} ${y}H${tenth(plot.right)}`;
  });
  return [
    element('path', { d: lines.join(''), stroke: theme.paper }),
    element('rect', {
      x: plot.left,
      y: plot.top,
      width: boxWidth(plot),
      height: boxHeight(plot),
      fill: 'none',
      stroke: theme.grid,
    }),
  ];
}

function drawNumbers(
  matrix: ConfusionInput['matrix'],
  opacity: (row: number, column: number) => number,
  plot: Box,
  cell: CellSize,
  theme: Theme,
): Child {
  const largest = matrix.flat().reduce((a, b) => Math.max(a, b));
  const size = Math.min(TEXT_SIZE, cell.height - 2, ((cell.width - 4) / textWidth(`${largest}`)) * TEXT_SIZE);
  if (size < 7) return null;
  const draw = (isDark: boolean) =>
    matrix.map((counts, row) =>
      counts.map((count, column) => {
        if (count === 0 || opacity(row, column) >= DARK_AREA !== isDark) return null;
        const x = plot.left + (column + 0.5) * cell.width;
        return text(x, plot.top + (row + 0.5) * cell.height + size / 3, `${count}`, {});
      }),
    );
  return element(
    'g',
    { 'text-anchor': 'middle', 'font-size': size },
    element('g', { fill: theme.ink }, draw(false)),
    element('g', { fill: theme.onArea }, draw(true)),
  );
}
