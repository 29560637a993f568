/** Chart of dead ReLU units by epoch: one strip per hidden layer, or one line per training. */
import type { VNode } from 'preact';
import type { EpochRecord } from '../domain/jobs/epoch-record.ts';
import type { TrainingJob } from '../domain/jobs/training.ts';
import type { PlottedTraining } from './epochs.ts';
import { drawLines } from './lines.ts';
import { AXIS_BELOW, horizontalAxis, LABEL_ABOVE } from './parts/axes.ts';
import { type Box, boxHeight, boxWidth } from './parts/box.ts';
import { type Child, element } from './parts/element.ts';
import { type ChartOptions, figure } from './parts/figure.ts';
import { type Position, svgArea } from './parts/path-data.ts';
import { type Scale, wholeScale } from './parts/scales.ts';
import { fitText, TEXT_SIZE, text, textWidth } from './parts/text.ts';
import type { Theme } from './parts/theme.ts';
import { type Columns, extractColumn, thinOut } from './parts/thin.ts';
import { shortNumber } from './parts/ticks.ts';

export interface DeadUnitsInput {
  readonly subtitle: string;
  /** Each with its convolutions and hidden layers, at least one. */
  readonly trainings: readonly (PlottedTraining & { readonly hidden: readonly HiddenLayer[] })[];
}

interface HiddenLayer {
  readonly name: string;
  readonly units: number;
}

const TITLE = 'Dead units by epoch';
const HEADING = 'Dead units of each hidden layer (full height: 100 %)';

/** The convolutions, whose units are channels, then the fully connected hidden layers. */
export const listHidden = ({
  convolutions,
  hidden,
}: Pick<TrainingJob['network'], 'convolutions' | 'hidden'>): HiddenLayer[] => [
  ...convolutions.flat().map((units, n) => ({ name: `convolution ${n + 1}`, units })),
  ...hidden.map((units, l) => ({ name: `layer ${l + 1}`, units })),
];

/** Draws the fraction of units that are zero on all measured images. */
export function drawDeadUnits({ trainings, subtitle }: DeadUnitsInput, options: ChartOptions): VNode {
  if (trainings.length > 1) {
    const lines = trainings.map(({ name, records, hidden }) => ({
      name,
      x: records.map(({ epoch }) => epoch),
      y: extractColumn(records, ({ deadUnits }) => 100 * ofAllUnits(deadUnits, hidden)),
    }));
    return drawLines(
      {
        title: `${TITLE}, all hidden layers`,
        subtitle,
        description: lines.map(({ name, y }) => `${name}: ${percent(y.at(-1) ?? 0)} at the end.`).join(' '),
        xLabel: 'Epoch',
        yLabel: 'Units that are zero on 1,024 training images (%)',
        lines,
        scaleName: 'linear',
        fromZero: true,
        unit: ' %',
      },
      options,
    );
  }
  const { records, hidden } = trainings[0]!;
  const last = records.at(-1)?.deadUnits ?? [];
  return figure(
    {
      title: TITLE,
      subtitle,
      description: hidden
        .map(
          ({ name, units }, layer) =>
            `${name[0]!.toUpperCase()}${name.slice(1)} of ${units} units: ${percent(100 * (last[layer] ?? 0))} at the end.`,
        )
        .join(' '),
      notes: ['A unit is dead if it is zero on all of the first 1,024 training images.'],
    },
    options,
    (area) => drawStrips(records, hidden, area, options.theme),
  );
}

const percent = (value: number): string => `${shortNumber(value)} %`;

function ofAllUnits(fractions: readonly number[], hidden: readonly HiddenLayer[]): number {
  const dead = hidden.reduce((sum, { units }, layer) => sum + units * (fractions[layer] ?? 0), 0);
  return dead / hidden.reduce((sum, { units }) => sum + units, 0);
}

function drawStrips(
  records: readonly EpochRecord[],
  hidden: readonly HiddenLayer[],
  area: Box,
  theme: Theme,
): Child {
  const most = Math.max(...hidden.map(({ units }) => units));
  const endWidth = textWidth(`${most} of ${most}`) + 8;
  const plot: Box = {
    left: area.left + Math.max(...hidden.map(({ name }) => textWidth(`${name} `))) + 6,
    top: area.top + LABEL_ABOVE,
    right: area.right - endWidth,
    bottom: area.bottom - AXIS_BELOW,
  };
  const x = wholeScale([records[0]!.epoch, records.at(-1)!.epoch], [plot.left, plot.right]);
  const epochs = records.map(({ epoch }) => epoch);
  const step = boxHeight(plot) / hidden.length;
  return [
    text(area.left, plot.top - 9, fitText(HEADING, boxWidth(area)), {
      fill: theme.muted,
    }),
    hidden.map(({ name, units }, layer) => {
      const strip = { ...plot, top: plot.top + layer * step, bottom: plot.top + (layer + 1) * step - 6 };
      const fractions = extractColumn(records, ({ deadUnits }) => deadUnits[layer] ?? Number.NaN);
      return drawStrip({ x: epochs, y: fractions }, name, units, strip, x, theme);
    }),
    horizontalAxis(x, 'Epoch', plot, theme),
  ];
}

function drawStrip(points: Columns, name: string, units: number, strip: Box, x: Scale, theme: Theme): Child {
  const toY = (fraction: number) => strip.bottom - fraction * boxHeight(strip);
  // A single epoch is drawn as a bar.
  const drawn =
    points.y.length === 1
      ? { x: [-0.2, 0.2].map((by) => points.x[0]! + by), y: new Float64Array(2).fill(points.y[0]!) }
      : points;
  const top = thinOut(drawn, x).map((point): Position | null =>
    point.y === null ? null : [x(point.x), toY(point.y)],
  );
  const value = points.y.at(-1) || 0;
  const middle = (strip.top + strip.bottom) / 2 + TEXT_SIZE / 3;
  return [
    element('rect', {
      x: strip.left,
      y: strip.top,
      width: strip.right - strip.left,
      height: boxHeight(strip),
      fill: theme.grid,
      'fill-opacity': 0.5,
    }),
    element('path', {
      d: svgArea(top, strip.bottom),
      fill: theme.error,
      stroke: theme.error,
      'stroke-width': 1.5,
    }),
    text(strip.left - 6, middle, name, { fill: theme.muted, 'text-anchor': 'end' }),
    text(strip.right + 8, middle, `${Math.round(value * units)} of ${units}`, {}),
  ];
}
