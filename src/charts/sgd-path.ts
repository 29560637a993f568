/** Chart of a training's path through the loss, in the plane of its two principal components. */
import type { VNode } from 'preact';
import { drawKey, drawSurface, keyWidth, type LossSurface, lossLevels } from './loss-surface.ts';
import { AXIS_BELOW, axisWidth, horizontalAxis, LABEL_ABOVE, verticalAxis } from './parts/axes.ts';
import type { Box } from './parts/box.ts';
import { dots } from './parts/dots.ts';
import { type Child, element } from './parts/element.ts';
import { type ChartOptions, figure } from './parts/figure.ts';
import { type Position, svgLine } from './parts/path-data.ts';
import { linearScale, type Scale, tickCount } from './parts/scales.ts';
import { TEXT_SIZE, text } from './parts/text.ts';
import type { Theme } from './parts/theme.ts';
import { type Domain, linearTicks, shortNumber } from './parts/ticks.ts';

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
  readonly surface: LossSurface;
  /** Fractions of the variance along x and y. */
  readonly explainedVariance: readonly number[];
  /** Each loss is the mean over this number of images of the split. */
  readonly examples: number;
  readonly split: string;
  /** Whether the repetition of the training ended with the parameters of the first. */
  readonly agrees?: boolean;
}

/** Darker areas have a higher loss. The first and last point state their loss and their projection's. */
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
      const [top, bottom] = [area.top + LABEL_ABOVE, area.bottom - AXIS_BELOW];
      const y = axisScale(surface.y, 'y', [bottom, top]);
      const plot: Box = {
        left: area.left + axisWidth(y.ticks),
        top,
        right: area.right - keyWidth(levels) - 12,
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

function drawPoints(points: readonly PathPoint[], x: Scale, y: Scale, plot: Box, theme: Theme): Child {
  const positions = points.map((point): Position => [x(point.x), y(point.y)]);
  const ends = points.length === 1 ? [points[0]!] : [points[0]!, points.at(-1)!];
  return [
    element(
      'g',
      { fill: 'none', stroke: theme.error, 'stroke-linejoin': 'round', 'stroke-linecap': 'round' },
      element('path', { d: svgLine(positions), 'stroke-width': 1 }),
      dots(positions, { colour: theme.error, diameter: 4 }),
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
