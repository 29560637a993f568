/** Trials of a hyper-parameter search, as its charts need them. */
import type { PlotScale } from '../../domain/plots.ts';

export interface SearchObjective {
  /** With the unit: `Validation loss (nats)`. */
  readonly label: string;
  readonly lowerIsBetter: boolean;
}

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
  readonly scale: PlotScale;
  /** Further sentences under the chart. */
  readonly notes?: readonly string[];
}

/** Whether the scale can show the value. */
export function isShown(value: number | null, scale: PlotScale): value is number {
  return value !== null && Number.isFinite(value) && (scale === 'linear' || value > 0);
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
