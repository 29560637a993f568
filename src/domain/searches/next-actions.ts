/** Decisions of a search: a pure function of the states of its trials, so a restart or another process decides the same. */
import { isEnded, type JobStatus } from '../jobs/status.ts';
import type { SearchStatus } from './representation.ts';
import type { ResolvedSearchRequest } from './request.ts';
import { continuing } from './rungs.ts';
import { type RunState, rank, type TrialState } from './trials.ts';

export interface SearchState extends Pick<ResolvedSearchRequest, 'halving' | 'objective'> {
  readonly status: SearchStatus;
  /** Whether no further training of a trial may start. */
  readonly isFinishing: boolean;
  /** Whether the time budget is used up. */
  readonly isOutOfTime: boolean;
  /** Number of rungs, the end of the training included. */
  readonly rungs: number;
  /** Largest number of jobs queued or active. */
  readonly parallel: number;
  readonly trainsFinally: boolean;
  readonly trials: readonly TrialState[];
  /** The job of the final training; null before it. */
  readonly final: { readonly status: JobStatus; readonly pauseReason: string | null } | null;
}

/** One training of a trial, or the final one. */
export type RunName = { readonly trial: number; readonly repeat: number } | 'final';

export type SearchAction =
  /** Creates the job of a training that waits, or lets a paused one go on, until the trial's rung. */
  | { readonly type: 'run'; readonly run: RunName }
  | { readonly type: 'pause'; readonly run: RunName }
  | { readonly type: 'cancel'; readonly run: RunName }
  /** Some of the trials that reached the rung go on, the others are stopped. */
  | {
      readonly type: 'decide';
      readonly rung: number;
      readonly continued: readonly number[];
      readonly stopped: readonly number[];
    }
  /** The time budget is used up: from now on, no training of a trial starts. */
  | { readonly type: 'finish' }
  | { readonly type: 'final'; readonly trial: number }
  | {
      readonly type: 'become';
      readonly status: Exclude<SearchStatus, 'running' | 'cancelling'>;
      readonly reason: string | null;
    };

const NO_RESULT_YET = 'No trial had a result when the search was finished.';
const NO_RESULT = 'No trial has a result: all of them failed or were cancelled. Their jobs hold the reasons.';

interface Named extends Pick<RunState, 'status' | 'pauseReason'> {
  readonly name: RunName;
}

/** Returns what to do now; after that, call it again with the new state, until nothing is left to do. */
export function nextActions(search: SearchState): SearchAction[] {
  switch (search.status) {
    case 'running':
      return search.final === null ? searching(search) : finishing(search.final);
    case 'pausing':
      return settle(allRuns(search), 'pause');
    case 'cancelling':
      return settle(allRuns(search), 'cancel');
    default:
      return [];
  }
}

function allRuns({ trials, final }: SearchState): Named[] {
  const runs = trials.flatMap(({ trial, runs }) =>
    runs.map((run): Named => ({ ...run, name: { trial, repeat: run.repeat } })),
  );
  return final === null ? runs : [...runs, { ...final, name: 'final' }];
}

/** Pauses or cancels every job, and ends when no job is active. */
function settle(runs: readonly Named[], type: 'pause' | 'cancel'): SearchAction[] {
  const stoppable: readonly (JobStatus | 'waiting')[] =
    type === 'pause' ? ['queued', 'running'] : ['queued', 'paused', 'running', 'pausing'];
  const actions = runs
    .filter(({ status }) => stoppable.includes(status))
    .map(({ name }): SearchAction => ({ type, run: name }));
  if (actions.length > 0 || runs.some(isBusy)) return actions;
  return [{ type: 'become', status: type === 'pause' ? 'paused' : 'cancelled', reason: null }];
}

/** Whether the job is queued, or a thread works on it. */
function isBusy({ status }: Pick<Named, 'status'>): boolean {
  return status !== 'waiting' && status !== 'paused' && !isEnded(status);
}

function finishing({ status, pauseReason }: NonNullable<SearchState['final']>): SearchAction[] {
  if (status === 'paused') {
    return pauseReason === null ? [{ type: 'run', run: 'final' }] : [becomePausing(pauseReason)];
  }
  if (status === 'succeeded') return [{ type: 'become', status, reason: null }];
  if (!isEnded(status)) return [];
  return [
    {
      type: 'become',
      status: 'failed',
      reason: `The final training ${status === 'failed' ? 'failed' : 'was cancelled'}.`,
    },
  ];
}

const becomePausing = (reason: string): SearchAction => ({ type: 'become', status: 'pausing', reason });

function searching(search: SearchState): SearchAction[] {
  const { trials, isFinishing, isOutOfTime } = search;
  const paused = allRuns(search).find(
    ({ status, pauseReason }) => status === 'paused' && pauseReason !== null,
  );
  if (paused) return [becomePausing(paused.pauseReason!)];
  if (isOutOfTime && !isFinishing && trials.some(isUnfinished)) return [{ type: 'finish' }];
  const superfluous = isFinishing ? trials : trials.filter((trial) => trial.isOut || isLost(trial));
  const cancelled = settle(allRuns({ ...search, trials: superfluous }), 'cancel').filter(
    ({ type }) => type === 'cancel',
  );
  if (cancelled.length > 0) return cancelled;
  const remaining = trials.filter(({ isOut }) => !isOut);
  if (!isFinishing) {
    const started = startRuns(
      search,
      remaining.filter((trial) => !isLost(trial)),
    );
    if (started.length > 0 || remaining.some(({ runs }) => runs.some(isBusy))) return started;
    const rung = remaining[0]?.rung ?? 0;
    if (search.halving !== null && rung < search.rungs - 1) return decide(search, remaining, rung);
  } else if (trials.some(({ runs }) => runs.some(isBusy))) return [];
  return conclude(search);
}

/** Whether a training of it could still start or go on. */
function isUnfinished(trial: TrialState): boolean {
  if (trial.isOut || isLost(trial)) return false;
  return trial.runs.some(({ status }) => status === 'waiting' || !isEnded(status));
}

/** Whether one of its trainings failed or was cancelled, so the others are not needed. */
function isLost({ runs }: TrialState): boolean {
  return runs.some(({ status }) => status === 'failed' || status === 'cancelled');
}

/** A training that waits, or is paused before its rung, in the order of the trials. */
function startRuns({ parallel, trials }: SearchState, remaining: readonly TrialState[]): SearchAction[] {
  const busy = trials.flatMap(({ runs }) => runs).filter(isBusy).length;
  return remaining
    .flatMap(({ trial, rung, runs }) =>
      runs
        .filter(
          ({ status, measured }) => status === 'waiting' || (status === 'paused' && measured.length <= rung),
        )
        .map(({ repeat }): SearchAction => ({ type: 'run', run: { trial, repeat } })),
    )
    .slice(0, Math.max(0, parallel - busy));
}

function decide(search: SearchState, reached: readonly TrialState[], rung: number): SearchAction[] {
  const { halving, objective } = search;
  const continued = rank(
    reached.filter((trial) => !isLost(trial)),
    objective,
  )
    .slice(0, continuing(reached.length, halving!.factor))
    .map(({ trial }) => trial)
    .sort((a, b) => a - b);
  if (continued.length === 0) return conclude(search);
  const stopped = reached.map(({ trial }) => trial).filter((trial) => !continued.includes(trial));
  return [{ type: 'decide', rung, continued, stopped }];
}

/** The best trial gets the final training. */
function conclude({ trials, objective, trainsFinally, isFinishing }: SearchState): SearchAction[] {
  const [best] = rank(trials, objective);
  if (best === undefined || best.isFailed || best.value === null) {
    return [{ type: 'become', status: 'failed', reason: isFinishing ? NO_RESULT_YET : NO_RESULT }];
  }
  if (trainsFinally) return [{ type: 'final', trial: best.trial }];
  return [{ type: 'become', status: 'succeeded', reason: null }];
}
