/** History of a search: the objective of each trial in order, and the best so far. */
import type { VNode } from 'preact';
import { AXIS_BELOW, axisWidth, horizontalAxis, LABEL_ABOVE, verticalAxis } from '../parts/axes.ts';
import type { Box } from '../parts/box.ts';
import { dots } from '../parts/dots.ts';
import { element } from '../parts/element.ts';
import { type ChartOptions, figure } from '../parts/figure.ts';
import { type Position, svgLine } from '../parts/path-data.ts';
import { linearScale, tickCount, valueScale } from '../parts/scales.ts';
import { TEXT_SIZE, text, textWidth } from '../parts/text.ts';
import { shortNumber, wholeTicks } from '../parts/ticks.ts';
import { bestTrial, describeBest, isShown, type SearchChartInput, type SearchTrial } from './trials.ts';

export interface SearchHistoryInput extends SearchChartInput {
  /** In order of their numbers. */
  readonly trials: readonly SearchTrial[];
}

export function drawSearchHistory(
  { trials, objective, subtitle, scaleName, notes = [] }: SearchHistoryInput,
  options: ChartOptions,
): VNode {
  const best = bestTrial(trials, objective);
  const label = best ? `best ${shortNumber(best.value!)}` : '';
  return figure(
    {
      title: 'Objective by trial',
      subtitle,
      description: describeBest(trials, best, objective),
      notes: ['A dot is a trial; the line is the best so far.', ...notes],
    },
    options,
    (area) => {
      const { theme } = options;
      const shown = trials.filter(({ value }) => isShown(value, scaleName));
      const [top, bottom] = [area.top + LABEL_ABOVE, area.bottom - AXIS_BELOW];
      const y = valueScale(
        shown.map(({ value }) => value!),
        { name: scaleName },
        [bottom, top],
      );
      const left = area.left + axisWidth(y.ticks);
      const plot: Box = { left, top, right: area.right - textWidth(label) - 12, bottom };
      const [first, last] = [trials[0]?.number ?? 1, trials.at(-1)?.number ?? 1];
      const ticks = wholeTicks([first, last], tickCount('x', plot.left, plot.right));
      const x = linearScale([first - 0.5, last + 0.5], [plot.left, plot.right], ticks);
      const steps: Position[] = [];
      let soFar: SearchTrial | null = null;
      for (const trial of shown) {
        const better: SearchTrial = bestTrial(soFar ? [soFar, trial] : [trial], objective)!;
        if (soFar !== null && better !== soFar) steps.push([x(trial.number), y(soFar.value!)]);
        if (better !== soFar) steps.push([x(trial.number), y(trial.value!)]);
        soFar = better;
      }
      if (soFar) steps.push([plot.right, y(soFar.value!)]);
      return [
        verticalAxis(y, objective.label, plot, area, theme),
        horizontalAxis(x, 'Trial', plot, theme),
        dots(
          shown.map(({ number, value }) => [x(number), y(value!)] as const),
          { colour: theme.accent, diameter: 6, opacity: 0.6 },
        ),
        element('path', { d: svgLine(steps), fill: 'none', stroke: theme.error, 'stroke-width': 2 }),
        soFar ? text(plot.right + 6, y(soFar.value!) + TEXT_SIZE / 3, label, { fill: theme.error }) : null,
      ];
    },
  );
}
