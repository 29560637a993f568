/** Progress, outcome and rules of a search, in words. */
import type { Search, SearchProgress } from '../../../src/domain/searches/representation.ts';
import { count, duration } from '../../format.ts';

export function describeProgress({ trials, waiting, active, paused, skipped }: SearchProgress): string {
  const ended = trials - waiting - active - paused - skipped;
  return `${count(ended)} of ${count(trials)} trials ended, ${count(active)} active`;
}

/** `2 of 20 trials completed, 18 not started`. A trial has completed if it trained all its epochs. */
export function describeOutcome(progress: SearchProgress): string {
  const { trials, succeeded, stopped, skipped, failed, cancelled } = progress;
  const others = [
    [stopped, 'stopped'],
    [skipped, 'not started'],
    [failed, 'failed'],
    [cancelled, 'cancelled'],
  ] as const;
  return [
    `${count(succeeded)} of ${count(trials)} trials completed`,
    ...others.filter(([number]) => number > 0).map(([number, outcome]) => `${count(number)} ${outcome}`),
  ].join(', ');
}

/** @param search that finishes, or has finished, with the trials that it had */
export function describeFinish({ finishReason, finishedAt, finalJob, final, budget }: Search): string {
  const cause =
    finishReason === 'time-budget'
      ? `The time budget of ${duration(budget?.seconds ?? null)} was used up`
      : 'The search was finished on request';
  if (finishedAt !== null) return `${cause}, so the other trials did not start, or were stopped.`;
  if (finalJob !== null) return `${cause}.`;
  const next = final.trainOn === null ? '' : ' The best trial gets its final training.';
  return `${cause}: no further trial starts.${next}`;
}

/** The last rung is the end of a complete trial, so nothing is decided there. */
export function describeRungs(rungs: readonly number[], factor: number): string {
  const decisions = rungs.slice(0, -1);
  if (decisions.length === 0) return 'none: all trials are trained to their end';
  return `after ${decisions.join(', ')} epochs, the best 1 of ${factor} continue, at most to ${rungs.at(-1)}`;
}

export function describeBudget({ epochs, seconds }: NonNullable<Search['budget']>): string {
  return [epochs !== undefined && `${count(epochs)} epochs`, seconds !== undefined && duration(seconds)]
    .filter(Boolean)
    .join(' and ');
}
