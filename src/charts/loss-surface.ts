/** The loss on a plane as filled contours, and the key of their levels. */
import { contours } from 'd3-contour';
import { type Box, boxHeight, boxWidth } from './parts/box.ts';
import { type Child, element } from './parts/element.ts';
import { type Position, svgPolygon } from './parts/path-data.ts';
import type { Scale } from './parts/scales.ts';
import { TEXT_SIZE, text, textWidth } from './parts/text.ts';
import type { Theme } from './parts/theme.ts';
import { logTicks, shortNumber } from './parts/ticks.ts';

/** `loss[j][i]` is the loss at (`x[i]`, `y[j]`); coordinates ascend in equal steps. */
export interface LossSurface {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly loss: readonly (readonly (number | null)[])[];
}

const LEVELS = 10;
/** Opacity of one level; levels lie above each other. */
const LEVEL_OPACITY = 0.085;
/** Side of a swatch in the key. */
const SWATCH = 12;

/** About ten levels of equal ratio, because a loss falls fast and then slowly. */
export function lossLevels(rows: LossSurface['loss']): number[] {
  const positive = rows
    .flat()
    .filter((loss): loss is number => loss !== null && Number.isFinite(loss) && loss > 0);
  if (positive.length === 0) return [1];
  const low = positive.reduce((a, b) => Math.min(a, b));
  const high = positive.reduce((a, b) => Math.max(a, b));
  const ticks = logTicks([low, high], LEVELS).filter(({ value }) => value > low && value < high);
  if (ticks.length >= LEVELS / 2) return ticks.map(({ value }) => value);
  return Array.from({ length: LEVELS }, (_, i) => low * (high / low) ** ((i + 0.5) / LEVELS));
}

/** One area per level. It covers everything with a higher loss. */
export function drawSurface(
  { x: xs, y: ys, loss }: LossSurface,
  levels: readonly number[],
  x: Scale,
  y: Scale,
  plot: Box,
  theme: Theme,
): Child {
  const [columns, rows] = [xs.length, ys.length];
  // A loss that overflows lies above all levels.
  const values = loss
    .flat()
    .map((value) => (value === null || !Number.isFinite(value) ? Number.MAX_VALUE : value));
  // The contours' coordinates count cells; the centres of cells are the points of the grid.
  const toX = (at: number) =>
    clamp(x(xs[0]!) + ((at - 0.5) / (columns - 1)) * boxWidth(plot), plot.left, plot.right);
  const toY = (at: number) =>
    clamp(y(ys[0]!) - ((at - 0.5) / (rows - 1)) * boxHeight(plot), plot.top, plot.bottom);
  const areas = contours()
    .size([columns, rows])
    .thresholds([...levels])(values);
  return element(
    'g',
    {
      fill: theme.accent,
      'fill-opacity': LEVEL_OPACITY,
      stroke: theme.accent,
      'stroke-opacity': 0.35,
      'stroke-width': 0.5,
    },
    areas.map(({ coordinates }) => {
      // The last point of a ring repeats the first one.
      const rings = coordinates
        .flat()
        .map((ring) => ring.slice(0, -1).map(([left, top]): Position => [toX(left!), toY(top!)]));
      return element('path', { d: rings.map(svgPolygon).join('') });
    }),
  );
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** Width of the key of the levels. */
export function keyWidth(levels: readonly number[]): number {
  return SWATCH + 8 + Math.max(...levels.map((level) => textWidth(shortNumber(level))));
}

/** Swatches from the highest level down, each as dark as the area above that level. */
export function drawKey(levels: readonly number[], box: Box, theme: Theme): Child {
  const step = Math.min(SWATCH + 4, boxHeight(box) / (levels.length + 1));
  const every = Math.ceil(TEXT_SIZE / step);
  return [
    text(box.left, box.top - 9, 'Loss', { fill: theme.muted }),
    levels.toReversed().map((level, i) => {
      const opacity = 1 - (1 - LEVEL_OPACITY) ** (levels.length - i);
      const top = box.top + i * step;
      const size = { width: SWATCH, height: step };
      return [
        element('rect', { x: box.left, y: top, ...size, fill: theme.accent, 'fill-opacity': opacity }),
        i % every === 0
          ? text(box.left + SWATCH + 6, top + step + TEXT_SIZE / 3, shortNumber(level), { fill: theme.muted })
          : null,
      ];
    }),
  ];
}
