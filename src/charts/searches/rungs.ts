/** Rungs of a search by successive halving: the objective of each trial at each rung that it reached. */
import type { VNode } from 'preact';
import { AXIS_BELOW, axisWidth, horizontalAxis, LABEL_ABOVE, verticalAxis } from '../parts/axes.ts';
import type { Box } from '../parts/box.ts';
import { dots } from '../parts/dots.ts';
import { type Child, element } from '../parts/element.ts';
import { type ChartOptions, figure } from '../parts/figure.ts';
import { type Position, svgLine } from '../parts/path-data.ts';
import { linearScale, valueScale } from '../parts/scales.ts';
import { TEXT_SIZE, text, textWidth } from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import { shortNumber } from '../parts/ticks.ts';
import { bestTrial, countTrials, drawBestDot, isShown, type SearchChartInput } from './trials.ts';

export interface RungTrial {
  readonly number: number;
  /** The objective at the rungs that the trial reached, in order; null if it diverged. */
  readonly values: readonly (number | null)[];
}

export interface SearchRungsInput extends SearchChartInput {
  /** Epochs of each rung, ascending. */
  readonly rungs: readonly number[];
  readonly trials: readonly RungTrial[];
}

/** Width right of the last rung, for half of its tick; the label of the best trial may take more. */
const MIN_RIGHT = 24;
const LABEL_GAP = 8;
/** Part of the distance of two rungs that is free left of the first one, and right of it if it is the only one. */
const RUNG_MARGIN = 0.25;

/** Rungs are at equal distances. Trials that did not reach the last rung are drawn paler. */
export function drawSearchRungs(input: SearchRungsInput, options: ChartOptions): VNode {
  const { rungs, trials, objective, subtitle, scaleName } = input;
  const trialsOfRung = rungs.map((_, rung) => trials.filter(({ values }) => values.length > rung).length);
  const rungsReached = Math.max(0, ...trials.map(({ values }) => values.length));
  const survivors = trials.filter(({ values }) => values.length === rungsReached);
  const others = trials.filter(({ values }) => values.length < rungsReached);
  const ends = survivors.map(({ number, values }) => ({ number, value: values.at(-1) ?? null }));
  const best = bestTrial(ends, objective);
  const label = best ? `trial ${best.number}: ${shortNumber(best.value!)}` : '';
  return figure(
    {
      title: 'Trials by rung',
      subtitle,
      description: [
        `${rungs.map((epochs, rung) => describeRung(epochs, trialsOfRung[rung]!)).join(', ')}.`,
        ...(best ? [`The best of the highest rung is ${label}.`] : []),
      ].join(' '),
      notes: [
        'Strong lines reached the last rung that is drawn; pale ones were stopped, or are still below it.',
      ],
    },
    options,
    (area) => {
      const { theme } = options;
      const shown = trials.flatMap(({ values }) => values.filter((value) => isShown(value, scaleName)));
      const [top, bottom] = [area.top + LABEL_ABOVE, area.bottom - AXIS_BELOW];
      const y = valueScale(shown, { name: scaleName }, [bottom, top]);
      const left = area.left + axisWidth(y.ticks);
      const right = area.right - Math.max(MIN_RIGHT, textWidth(label) + LABEL_GAP + 2);
      const plot: Box = { left, top, right, bottom };
      const ticks = rungs.map((epochs, rung) => ({
        value: rung,
        label: `${epochs} (${countTrials(trialsOfRung[rung]!)})`,
      }));
      const x = linearScale([-RUNG_MARGIN, Math.max(RUNG_MARGIN, rungs.length - 1)], [left, right], ticks);
      const place = (value: number | null, rung: number): Position | null =>
        isShown(value, scaleName) ? [x(rung), y(value)] : null;
      const end = best && place(best.value, rungsReached - 1);
      return [
        verticalAxis(y, objective.label, plot, area, theme),
        horizontalAxis(x, 'Epochs of the rung', plot, theme),
        drawTrials(others, place, { colour: theme.muted, width: 1, opacity: 0.55 }),
        drawTrials(survivors, place, { colour: theme.accent, width: 2, opacity: 1 }),
        end && drawBest(end, label, theme),
      ];
    },
  );
}

const describeRung = (epochs: number, trials: number): string =>
  `${countTrials(trials)} reached ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`;

function drawTrials(
  trials: readonly RungTrial[],
  place: (value: number | null, rung: number) => Position | null,
  { colour, width, opacity }: { colour: string; width: number; opacity: number },
): Child {
  const lines = trials.map(({ values }) => values.map(place));
  return [
    element('path', {
      d: lines
        .filter(({ length }) => length > 1)
        .map(svgLine)
        .join(''),
      fill: 'none',
      stroke: colour,
      'stroke-width': width,
      'stroke-opacity': opacity,
    }),
    dots(
      lines.flat().filter((position) => position !== null),
      { colour, diameter: 3 + width, opacity },
    ),
  ];
}

function drawBest([left, top]: Position, label: string, theme: Theme): Child {
  return [
    drawBestDot([left, top], 4.5, theme),
    text(left + LABEL_GAP, top + TEXT_SIZE / 3, label, {
      stroke: theme.paper,
      'stroke-width': 3,
      'paint-order': 'stroke',
    }),
  ];
}
