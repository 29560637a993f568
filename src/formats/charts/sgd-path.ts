/** Chart of a training's path through the loss, in the plane of its two principal components. */
import { contours } from 'd3-contour';
import { line as lineOf } from 'd3-shape';
import type { VNode } from 'preact';
import { AXIS_BELOW, axisWidth, horizontalAxis, LABEL_ABOVE, verticalAxis } from './axes.ts';
import { type Box, boxHeight, boxWidth } from './box.ts';
import { dots } from './dots.ts';
import { type Child, element } from './element.ts';
import { type ChartOptions, figure } from './figure.ts';
import { createPathData } from './path-data.ts';
import { linearScale, type Scale, tickCount } from './scales.ts';
import { TEXT_SIZE, text, textWidth } from './text.ts';
import type { Theme } from './theme.ts';
import { type Domain, linearTicks, logTicks, shortNumber } from './ticks.ts';

export interface PathPoint {
  readonly epoch: number;
  /** Coordinates in the plane. */
  readonly x: number;
  readonly y: number;
  /** Loss of the parameters, and of their projection onto the plane. */
  readonly loss: number;
  readonly planeLoss: number;
}

export interface SgdPathInput {
  readonly subtitle: string;
  /** In order of time; at least one. */
  readonly points: readonly PathPoint[];
  /** `loss[j][i]` is the loss at (`x[i]`, `y[j]`); coordinates ascend in equal steps. */
  readonly surface: {
    readonly x: readonly number[];
    readonly y: readonly number[];
    readonly loss: readonly (readonly (number | null)[])[];
  };
  /** Fractions of the variance along x and y. */
  readonly explainedVariance: readonly number[];
  /** Number of images on which each loss is the mean, and their split. */
  readonly examples: number;
  readonly split: string;
  /** Whether the repetition of the training ended with the parameters of the first. */
  readonly agrees?: boolean;
}

const LEVELS = 10;
/** Opacity of one level; levels lie above each other. */
const LEVEL_OPACITY = 0.085;
/** Side of a swatch in the key. */
const SWATCH = 12;

/** Darker areas have a higher loss. The first and last point state their loss and that of their projection. */
export function drawSgdPath(input: SgdPathInput, options: ChartOptions): VNode {
  const { points, surface, explainedVariance, examples, split } = input;
  const [start, end] = [points[0]!, points.at(-1)!];
  const levels = lossLevels(surface.loss);
  const images = `${examples.toLocaleString('en')} ${split === 'train' ? 'training' : split} images`;
  return figure(
    {
      title: 'Path of the training over the loss',
      subtitle: input.subtitle,
      description: `The path in the plane of the two principal components of its parameters. ${describeEnd('Start', start)} ${describeEnd('End', end)}`,
      notes: [
        `Mean cross-entropy in nats on ${images}; in brackets, that on the plane: ${brief('start', start)}, ${brief('end', end)}.`,
        "The plane is exact only near the path's centre.",
        ...(input.agrees === false
          ? ['The repetition ended with other parameters than the training itself.']
          : []),
      ],
    },
    options,
    (area) => {
      const { theme } = options;
      const keyWidth = SWATCH + 8 + Math.max(...levels.map((level) => textWidth(shortNumber(level))));
      const [top, bottom] = [area.top + LABEL_ABOVE, area.bottom - AXIS_BELOW];
      const y = axisScale(surface.y, 'y', [bottom, top]);
      const plot: Box = {
        left: area.left + axisWidth(y.ticks),
        top,
        right: area.right - keyWidth - 12,
        bottom,
      };
      const x = axisScale(surface.x, 'x', [plot.left, plot.right]);
      return [
        verticalAxis(
          y,
          componentLabel(2, explainedVariance[1]),
          plot,
          { left: area.left, right: plot.right },
          theme,
          {
            grid: false,
          },
        ),
        drawSurface(surface, levels, x, y, plot, theme),
        horizontalAxis(x, componentLabel(1, explainedVariance[0]), plot, theme),
        drawPoints(points, x, y, plot, theme),
        drawKey(levels, { ...plot, left: plot.right + 12, right: area.right }, theme),
      ];
    },
  );
}

const losses = ({ loss, planeLoss }: PathPoint): string =>
  `${shortNumber(loss)} (${shortNumber(planeLoss)} on the plane)`;

const brief = (name: string, { loss, planeLoss }: PathPoint): string =>
  `${name} ${shortNumber(loss)} (${shortNumber(planeLoss)})`;

const describeEnd = (name: string, point: PathPoint): string =>
  `${name}, epoch ${shortNumber(point.epoch)}: loss ${losses(point)}.`;

const componentLabel = (component: number, fraction: number | undefined): string =>
  fraction === undefined
    ? `Principal component ${component}`
    : `Principal component ${component} (${(100 * fraction).toFixed(1)} % of the variance)`;

function axisScale(values: readonly number[], axis: 'x' | 'y', range: readonly [number, number]): Scale {
  const domain: Domain = [values[0]!, values.at(-1)!];
  return linearScale(domain, range, linearTicks(domain, tickCount(axis, ...range)));
}

/** About ten levels of equal ratio, because a loss falls fast and then slowly. */
function lossLevels(rows: SgdPathInput['surface']['loss']): number[] {
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

/** One area per level, which covers everything with a higher loss. */
function drawSurface(
  { x: xs, y: ys, loss }: SgdPathInput['surface'],
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
  // The contours' coordinates count cells, whose centres are the points of the grid.
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
      const path = createPathData();
      for (const ring of coordinates.flat()) {
        for (const [i, position] of ring.slice(0, -1).entries()) {
          const [toLeft, toTop] = [toX(position[0]!), toY(position[1]!)];
          if (i === 0) path.moveTo(toLeft, toTop);
          else path.lineTo(toLeft, toTop);
        }
        path.closePath();
      }
      return element('path', { d: path.toString() });
    }),
  );
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

function drawPoints(points: readonly PathPoint[], x: Scale, y: Scale, plot: Box, theme: Theme): Child {
  const path = createPathData();
  lineOf<PathPoint>()
    .x((point) => x(point.x))
    .y((point) => y(point.y))
    .context(path as unknown as CanvasRenderingContext2D)(points as PathPoint[]);
  const ends = points.length === 1 ? [points[0]!] : [points[0]!, points.at(-1)!];
  return [
    element(
      'g',
      { fill: 'none', stroke: theme.error, 'stroke-linejoin': 'round', 'stroke-linecap': 'round' },
      element('path', { d: path.toString(), 'stroke-width': 1 }),
      dots(
        points.map((point) => [x(point.x), y(point.y)] as const),
        { colour: theme.error, diameter: 4 },
      ),
    ),
    ends.map((point, i) => drawEnd(point, i === 0 ? 'start' : 'end', x(point.x), y(point.y), plot, theme)),
  ];
}

/** A ring around the point, and its name and loss on the side with more room. */
function drawEnd(point: PathPoint, name: string, left: number, top: number, plot: Box, theme: Theme): Child {
  const isLeft = left < (plot.left + plot.right) / 2;
  return [
    element('circle', { cx: left, cy: top, r: 5, fill: theme.paper, stroke: theme.error, 'stroke-width': 2 }),
    text(left + (isLeft ? 10 : -10), top + TEXT_SIZE / 3, `${name}: ${shortNumber(point.loss)}`, {
      'font-weight': 'bold',
      'text-anchor': isLeft ? 'start' : 'end',
      // A halo of paper keeps the text readable on contours.
      stroke: theme.paper,
      'stroke-width': 3,
      'paint-order': 'stroke',
    }),
  ];
}

/** Swatches from the highest level down, each as dark as the area above that level. */
function drawKey(levels: readonly number[], box: Box, theme: Theme): Child {
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
