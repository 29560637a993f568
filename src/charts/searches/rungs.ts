/** Rungs of a search by successive halving: the objective of each trial at each rung that it reached. */
import { line as lineOf } from 'd3-shape';
import type { VNode } from 'preact';
import { AXIS_BELOW, axisWidth, horizontalAxis, LABEL_ABOVE, verticalAxis } from '../parts/axes.ts';
import type { Box } from '../parts/box.ts';
import { dots } from '../parts/dots.ts';
import { type Child, element } from '../parts/element.ts';
import { type ChartOptions, figure } from '../parts/figure.ts';
import { createPathData } from '../parts/path-data.ts';
import { linearScale, type Scale, valueScale } from '../parts/scales.ts';
import { TEXT_SIZE, text, textWidth } from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import { shortNumber } from '../parts/ticks.ts';
import { countTrials, isShown, type SearchChartInput } from './trials.ts';

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

/** Rungs are at equal distances. Trials that did not reach the last rung are drawn paler. */
export function drawSearchRungs(input: SearchRungsInput, options: ChartOptions): VNode {
  const { rungs, trials, objective, subtitle, scale } = input;
  const reached = rungs.map((_, rung) => trials.filter(({ values }) => values.length > rung).length);
  const best = bestAtTop(input);
  return figure(
    {
      title: 'Trials by rung',
      subtitle,
      description:
        `${rungs.map((epochs, i) => `${countTrials(reached[i]!)} reached ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`).join(', ')}.` +
        (best
          ? ` The best of the highest rung is trial ${best.number}: ${shortNumber(best.values.at(-1)!)}.`
          : ''),
      notes: [
        'Strong lines reached the last rung that is drawn; pale ones were stopped, or are still below it.',
      ],
    },
    options,
    (area) => {
      const { theme } = options;
      const label = best ? `trial ${best.number}: ${shortNumber(best.values.at(-1)!)}` : '';
      const shown = trials.flatMap(({ values }) => values.filter((value) => isShown(value, scale)));
      const [top, bottom] = [area.top + LABEL_ABOVE, area.bottom - AXIS_BELOW];
      const y = valueScale(shown, { name: scale }, [bottom, top]);
      const left = area.left + axisWidth(y.ticks);
      const plot: Box = { left, top, right: area.right - Math.max(24, textWidth(label) + 10), bottom };
      const ticks = rungs.map((epochs, rung) => ({
        value: rung,
        label: `${epochs} (${countTrials(reached[rung]!)})`,
      }));
      const x = linearScale([-0.25, Math.max(0.25, rungs.length - 1)], [plot.left, plot.right], ticks);
      const highest = Math.max(0, ...trials.map(({ values }) => values.length));
      const survivors = trials.filter(({ values }) => values.length === highest);
      const others = trials.filter(({ values }) => values.length < highest);
      return [
        verticalAxis(y, objective.label, plot, area, theme),
        horizontalAxis(x, 'Epochs of the rung', plot, theme),
        drawTrials(others, x, y, scale, { colour: theme.muted, width: 1, opacity: 0.55 }),
        drawTrials(survivors, x, y, scale, { colour: theme.accent, width: 2, opacity: 1 }),
        best && isShown(best.values.at(-1)!, scale) ? drawBest(best, label, x, y, theme) : null,
      ];
    },
  );
}

/** The best trial of the highest rung that a trial has reached. */
function bestAtTop({ trials, objective }: SearchRungsInput): RungTrial | null {
  const highest = Math.max(0, ...trials.map(({ values }) => values.length));
  const finished = trials.filter(
    ({ values }) => values.length === highest && (values.at(-1) ?? null) !== null,
  );
  const sign = objective.lowerIsBetter ? 1 : -1;
  return finished.toSorted((a, b) => sign * (a.values.at(-1)! - b.values.at(-1)!))[0] ?? null;
}

function drawTrials(
  trials: readonly RungTrial[],
  x: Scale,
  y: Scale,
  scale: SearchRungsInput['scale'],
  { colour, width, opacity }: { colour: string; width: number; opacity: number },
): Child {
  const path = createPathData();
  const line = lineOf<number | null>()
    .defined((value) => isShown(value, scale))
    .x((_, rung) => x(rung))
    .y((value) => y(value!))
    // d3 calls only the methods that the path has.
    .context(path as unknown as CanvasRenderingContext2D);
  for (const { values } of trials) if (values.length > 1) line(values as (number | null)[]);
  const positions = trials.flatMap(({ values }) =>
    values.flatMap((value, rung) => (isShown(value, scale) ? [[x(rung), y(value)] as const] : [])),
  );
  return [
    element('path', {
      d: path.toString(),
      fill: 'none',
      stroke: colour,
      'stroke-width': width,
      'stroke-opacity': opacity,
    }),
    dots(positions, { colour, diameter: 3 + width, opacity }),
  ];
}

function drawBest(best: RungTrial, label: string, x: Scale, y: Scale, theme: Theme): Child {
  const [left, top] = [x(best.values.length - 1), y(best.values.at(-1)!)];
  return [
    element('circle', {
      cx: left,
      cy: top,
      r: 4.5,
      fill: theme.error,
      stroke: theme.paper,
      'stroke-width': 1.5,
    }),
    text(left + 8, top + TEXT_SIZE / 3, label, {
      stroke: theme.paper,
      'stroke-width': 3,
      'paint-order': 'stroke',
    }),
  ];
}
