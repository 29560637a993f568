/** The objective of each trial at the rungs that it reached, from the events of a search. */

import type { RungTrial } from '../../../src/charts/searches/rungs.ts';
import { OBJECTIVES } from '../../../src/charts/searches/trials.ts';
import type { Search, SearchEvent } from '../../../src/domain/searches/representation.ts';

/** By trial, then by repeat, then by rung. */
export type RungValues = Map<number, number[][]>;

/** The part of an event of type `trial` that is used here. */
interface TrialReport {
  readonly trial: number;
  readonly repeat?: number;
  /** Number of rungs reached. */
  readonly rung: number;
  /** At the last rung reached. */
  readonly value: number | null;
}

export function recordEvent(values: RungValues, { type, data }: Pick<SearchEvent, 'type' | 'data'>): void {
  if (type !== 'trial') return;
  const { trial, repeat = 0, rung, value } = data as unknown as TrialReport;
  if (rung === 0 || value === null) return;
  const ofTrial = values.get(trial) ?? [];
  values.set(trial, ofTrial);
  ofTrial[repeat] ??= [];
  ofTrial[repeat][rung - 1] = value;
}

/** Means over the repeats at each rung that all of them have reached, in order of the trials. */
export function rungTrials(
  values: RungValues,
  { repeats, objective, progress }: Pick<Search, 'repeats' | 'objective' | 'progress'>,
): RungTrial[] {
  const { factor } = OBJECTIVES[objective];
  return Array.from({ length: progress.trials }, (_, i) => {
    const runs = Array.from({ length: repeats }, (_, repeat) => values.get(i + 1)?.[repeat] ?? []);
    const reached = Math.min(...runs.map((run) => run.length));
    const means = Array.from({ length: reached }, (_, rung) => {
      const sum = runs.reduce((total, run) => total + (run[rung] ?? Number.NaN), 0);
      return Number.isNaN(sum) ? null : (factor * sum) / repeats;
    });
    return { number: i + 1, values: means };
  });
}
