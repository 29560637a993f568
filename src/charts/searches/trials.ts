/** Trials of a hyper-parameter search, as its charts need them. */
import type { VNode } from 'preact';
import type { PlotScale } from '../../domain/reports/plots.ts';
import type { Search, Trial } from '../../domain/searches/representation.ts';
import type { Objective } from '../../domain/searches/request.ts';
import { element } from '../parts/element.ts';
import type { Position } from '../parts/path-data.ts';
import type { Theme } from '../parts/theme.ts';
import { shortNumber } from '../parts/ticks.ts';

export interface SearchObjective {
  /** With the unit: `Validation loss (nats)`. */
  readonly label: string;
  readonly lowerIsBetter: boolean;
}

/** The values of a trial are multiplied by `factor`: percentages are drawn as such. */
export const OBJECTIVES: Readonly<Record<Objective, SearchObjective & { readonly factor: number }>> = {
  validationLoss: { label: 'Validation loss (nats)', lowerIsBetter: true, factor: 1 },
  validationAccuracy: {
    label: 'Correct predictions (% of the validation images)',
    lowerIsBetter: false,
    factor: 100,
  },
};

export interface SearchTrial {
  /** Number of the trial, from 1. */
  readonly number: number;
  /** The objective; null if the trial has none, for example because it diverged. */
  readonly value: number | null;
}

export interface SearchChartInput {
  /** Shown beside the title: the search. */
  readonly subtitle: string;
  readonly objective: SearchObjective;
  /** Scale of the axis that shows the objective. */
  readonly scaleName: PlotScale;
  /** Further sentences under the chart. */
  readonly notes?: readonly string[];
}

/** The part of the input that all charts of a search share. */
export const describeSearch = (
  { objective, halving }: Pick<Search, 'objective' | 'halving'>,
  subtitle: string,
): Omit<SearchChartInput, 'scaleName'> => ({
  subtitle,
  objective: OBJECTIVES[objective],
  notes: halving === null ? [] : ['The value of a stopped trial is that of its last rung.'],
});

/** The objective as charts show it; null if the trial has no rank. */
export const drawnValue = (
  { rank, value }: Pick<Trial, 'rank' | 'value'>,
  objective: Objective,
): number | null => (rank === null || value === null ? null : value * OBJECTIVES[objective].factor);

/** Whether the scale can show the value. */
export function isShown(value: number | null, scaleName: PlotScale): value is number {
  return value !== null && Number.isFinite(value) && (scaleName === 'linear' || value > 0);
}

export function bestTrial<T extends SearchTrial>(
  trials: readonly T[],
  { lowerIsBetter }: SearchObjective,
): T | null {
  let best: T | null = null;
  for (const trial of trials) {
    if (trial.value === null || !Number.isFinite(trial.value)) continue;
    const isBetter = best === null || (lowerIsBetter ? trial.value < best.value! : trial.value > best.value!);
    if (isBetter) best = trial;
  }
  return best;
}

/** @param best null if no trial has a value */
export function describeBest(
  trials: readonly SearchTrial[],
  best: SearchTrial | null,
  { label }: SearchObjective,
): string {
  if (best === null) return `None of ${trials.length} trials has a value.`;
  const valued = trials.filter(({ value }) => value !== null).length;
  const without = trials.length - valued;
  return (
    `The best of ${countTrials(valued)} is trial ${best.number}: ${label} ${shortNumber(best.value!)}.` +
    (without === 0 ? '' : ` ${countTrials(without)} ${without === 1 ? 'has' : 'have'} no value.`)
  );
}

/** The best trial: larger than the dots of others, on a ring of paper. */
export const drawBestDot = ([cx, cy]: Position, r: number, theme: Theme): VNode =>
  element('circle', { cx, cy, r, fill: theme.error, stroke: theme.paper, 'stroke-width': 1.5 });

export const countTrials = (trials: number) => `${trials} ${trials === 1 ? 'trial' : 'trials'}`;
