/** Line chart: values by epoch or trial, with each line labelled at its end. */

import type { VNode } from 'preact';
import type { PlotScale } from '../domain/reports/plots.ts';
import { AXIS_BELOW, axisWidth, horizontalAxis, LABEL_ABOVE, verticalAxis } from './parts/axes.ts';
import { type Box, boxHeight, boxWidth } from './parts/box.ts';
import { dots } from './parts/dots.ts';
import { type Child, element } from './parts/element.ts';
import { spreadLabels } from './parts/end-labels.ts';
import { type Caption, type ChartOptions, figure } from './parts/figure.ts';
import { drawMarks, type Mark, RADIUS } from './parts/marks.ts';
import { svgLine, svgSegment } from './parts/path-data.ts';
import { type Scale, valueScale, wholeScale } from './parts/scales.ts';
import { fitText, TEXT_SIZE, text, textWidth, wrapText } from './parts/text.ts';
import { DASHES, type Theme } from './parts/theme.ts';
import { type Columns, MAX_POINTS, type Point, thinOut } from './parts/thin.ts';
import { type Domain, shortNumber } from './parts/ticks.ts';

/** Missing values are gaps. */
export interface Line extends Columns {
  readonly name: string;
}

export interface LinesInput extends Caption {
  readonly xLabel: string;
  /** With the unit. */
  readonly yLabel: string;
  /** At most as many as there are colours. */
  readonly lines: readonly Line[];
  readonly scaleName: PlotScale;
  /** Whether a linear axis starts at 0. */
  readonly fromZero?: boolean;
  /** Follows the values in the labels. */
  readonly unit?: string;
  readonly marks?: readonly Mark[];
}

/** Length of the piece of line between the plot and a label. It shows the dash. */
const LEADER = 18;
const LABEL_GAP = 13;
/** Lines up to this length mark each point. */
const MAX_DOTS = 40;

/** Draws lines. On a logarithmic scale, values that are not positive are gaps. */
export function drawLines(input: LinesInput, options: ChartOptions): VNode {
  const { theme } = options;
  return figure(input, options, (area) => {
    const lines = input.lines.map(({ name, x, y }) => ({ name, x, y: drawable(y, input.scaleName) }));
    const top = area.top + LABEL_ABOVE;
    const bottom = area.bottom - AXIS_BELOW;
    const y = valueScale(extent(lines), { name: input.scaleName, fromZero: input.fromZero ?? false }, [
      bottom,
      top,
    ]);
    const labels = endLabels(lines, input.unit ?? '', { width: boxWidth(area) * 0.42, height: bottom - top });
    const gap = LABEL_GAP * Math.max(1, ...labels.map(({ length }) => length));
    const plot: Box = {
      left: area.left + axisWidth(y.ticks),
      top,
      right: area.right - LEADER - 6 - Math.max(0, ...labels.flat().map((label) => textWidth(label))),
      bottom,
    };
    // Many labels take the whole height, beside the labels of the axes.
    const isCrowded = (lines.length - 1) * gap > boxHeight(plot);
    // A symbol at the first epoch must not cover the tick of the axis.
    const hasSymbols = (input.marks ?? []).some(({ kind }) => kind !== 'cursor');
    const x = wholeScale(extentOfX(lines), [plot.left + (hasSymbols ? RADIUS + 1 : 0), plot.right]);
    const thin = lines.map((line) => thinOut(line, x));
    return [
      verticalAxis(y, input.yLabel, plot, isCrowded ? { ...area, right: plot.right } : area, theme),
      horizontalAxis(x, input.xLabel, plot, theme),
      thin.map((points, i) => drawLine(points, x, y, i, theme)),
      drawMarks(input.marks ?? [], x, plot, theme),
      drawLabels(lines, labels, gap, y, plot, isCrowded ? area : plot, theme),
    ];
  });
}

/** The values, with a gap for each that cannot be drawn. */
function drawable(values: Float64Array, scaleName: PlotScale): Float64Array {
  const above = scaleName === 'linear' ? Number.NEGATIVE_INFINITY : 0;
  const drawn = new Float64Array(values);
  for (let i = 0; i < drawn.length; i++) {
    if (!(drawn[i]! > above && drawn[i]! < Number.POSITIVE_INFINITY)) drawn[i] = Number.NaN;
  }
  return drawn;
}

/** The smallest and the largest value, if there are any. */
function extent(lines: readonly Line[]): number[] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { y: values } of lines) {
    for (const y of values) {
      if (y < low) low = y;
      if (y > high) high = y;
    }
  }
  return low > high ? [] : [low, high];
}

const lastValue = ({ y }: Line): number | undefined => y.findLast((value) => !Number.isNaN(value));

/** Name and last value, or the name alone if they do not fit: in several lines, or cut. */
function endLabels(
  lines: readonly Line[],
  unit: string,
  { width, height }: { readonly width: number; readonly height: number },
): string[][] {
  const full = lines.map((line) => {
    const last = lastValue(line);
    return last === undefined ? `${line.name}: no value` : `${line.name}: ${shortNumber(last)}${unit}`;
  });
  if (full.every((label) => textWidth(label) <= width)) return full.map((label) => [label]);
  const wrapped = lines.map(({ name }) => wrapText(name, width));
  const rows = Math.max(...wrapped.map(({ length }) => length));
  return rows * lines.length * LABEL_GAP <= height
    ? wrapped
    : lines.map(({ name }) => [fitText(name, width)]);
}

function extentOfX(lines: readonly Line[]): Domain {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { x } of lines) {
    if (x.length === 0) continue;
    low = Math.min(low, x[0]!);
    high = Math.max(high, x[x.length - 1]!);
  }
  return low > high ? [1, 1] : [low, high];
}

/** A line of `points`, and dots where it is short or a point stands alone. */
function drawLine(points: readonly Point[], x: Scale, y: Scale, series: number, theme: Theme): Child {
  const stroke = theme.series[series % theme.series.length]!;
  const dotted = points.filter(
    (point, i) =>
      point.y !== null &&
      (points.length <= MAX_DOTS || (isMissing(points[i - 1]) === true && isMissing(points[i + 1]))),
  );
  return element(
    'g',
    { fill: 'none', stroke, 'stroke-linejoin': 'round' },
    element('path', {
      d: svgLine(points.map((point) => (point.y === null ? null : [x(point.x), y(point.y)]))),
      'stroke-width': points.length > MAX_POINTS ? 1 : 2,
      'stroke-dasharray': dash(series),
    }),
    dots(
      dotted.map((point) => [x(point.x), y(point.y!)] as const),
      { colour: stroke, diameter: 5 },
    ),
  );
}

const isMissing = (point: Point | undefined): boolean => point === undefined || point.y === null;

const dash = (series: number): string | undefined => DASHES[series % DASHES.length] || undefined;

function drawLabels(
  lines: readonly Line[],
  labels: readonly (readonly string[])[],
  gap: number,
  y: Scale,
  plot: Box,
  room: Pick<Box, 'top' | 'bottom'>,
  theme: Theme,
): Child {
  const ends = lines.map((line) => {
    const last = lastValue(line);
    return last === undefined ? plot.bottom : y(last);
  });
  const positions = spreadLabels(ends, gap, room.top, room.bottom - 4);
  return lines.map((_, i) => {
    const colour = theme.series[i % theme.series.length]!;
    return [
      element('path', {
        d: svgSegment([plot.right + 3, ends[i]!], [plot.right + LEADER, positions[i]!]),
        fill: 'none',
        stroke: colour,
        'stroke-width': 1.5,
        'stroke-dasharray': dash(i),
      }),
      labels[i]!.map((row, j, { length }) =>
        text(
          plot.right + LEADER + 4,
          positions[i]! + TEXT_SIZE / 3 + (j - (length - 1) / 2) * LABEL_GAP,
          row,
          { fill: colour },
        ),
      ),
    ];
  });
}
