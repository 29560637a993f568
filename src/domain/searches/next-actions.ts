/** Decisions of a search: a pure function of the states of its trials, so a restart or another process decides the same. */
import { isEnded, type JobStatus } from '../jobs/status.ts';
import type { SearchStatus } from './representation.ts';
import type { ResolvedSearchRequest } from './request.ts';
import { continuing } from './rungs.ts';
import { rank, type TrainingState, type TrialState } from './trials.ts';

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
export type TrainingName = { readonly trial: number; readonly repeat: number } | 'final';

export type SearchAction =
  /** Creates the job of a training that is waiting, or lets a paused one go on, until the trial's rung. */
  | { readonly type: 'start'; readonly training: TrainingName }
  | { readonly type: 'pause'; readonly training: TrainingName }
  | { readonly type: 'cancel'; readonly training: TrainingName }
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

interface Named extends Pick<TrainingState, 'status' | 'pauseReason'> {
  readonly name: TrainingName;
}

/** Returns what to do now; after that, call it again with the new state, until nothing is left to do. */
export function nextActions(search: SearchState): SearchAction[] {
  switch (search.status) {
    case 'running':
      return search.final === null ? searching(search) : finishing(search.final);
    case 'pausing':
      return settle(allTrainings(search), 'pause');
    case 'cancelling':
      return settle(allTrainings(search), 'cancel');
    default:
      return [];
  }
}

function allTrainings({ trials, final }: SearchState): Named[] {
  const trainings = trials.flatMap(({ trial, trainings }) =>
    trainings.map((training): Named => ({ ...training, name: { trial, repeat: training.repeat } })),
  );
  return final === null ? trainings : [...trainings, { ...final, name: 'final' }];
}

/** Pauses or cancels every job, and ends when no job is active. */
function settle(trainings: readonly Named[], type: 'pause' | 'cancel'): SearchAction[] {
  const stoppable: readonly (JobStatus | 'waiting')[] =
    type === 'pause' ? ['queued', 'running'] : ['queued', 'paused', 'running', 'pausing'];
  const actions = trainings
    .filter(({ status }) => stoppable.includes(status))
    .map(({ name }): SearchAction => ({ type, training: name }));
  if (actions.length > 0 || trainings.some(isBusy)) return actions;
  return [{ type: 'become', status: type === 'pause' ? 'paused' : 'cancelled', reason: null }];
}

/** Whether the job is queued, or a thread works on it. */
function isBusy({ status }: Pick<Named, 'status'>): boolean {
  return status !== 'waiting' && status !== 'paused' && !isEnded(status);
}

function finishing({ status, pauseReason }: NonNullable<SearchState['final']>): SearchAction[] {
  if (status === 'paused') {
    return pauseReason === null ? [{ type: 'start', training: 'final' }] : [becomePausing(pauseReason)];
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
  const paused = allTrainings(search).find(
    ({ status, pauseReason }) => status === 'paused' && pauseReason !== null,
  );
  if (paused) return [becomePausing(paused.pauseReason!)];
  if (isOutOfTime && !isFinishing && trials.some(isUnfinished)) return [{ type: 'finish' }];
  const superfluous = isFinishing ? trials : trials.filter((trial) => trial.isOut || isLost(trial));
  const cancelled = settle(allTrainings({ ...search, trials: superfluous }), 'cancel').filter(
    ({ type }) => type === 'cancel',
  );
  if (cancelled.length > 0) return cancelled;
  const remaining = trials.filter(({ isOut }) => !isOut);
  if (!isFinishing) {
    const started = startRuns(
      search,
      remaining.filter((trial) => !isLost(trial)),
    );
    if (started.length > 0 || remaining.some(({ trainings }) => trainings.some(isBusy))) return started;
    const rung = remaining[0]?.rung ?? 0;
    if (search.halving !== null && rung < search.rungs - 1) return decide(search, remaining, rung);
  } else if (trials.some(({ trainings }) => trainings.some(isBusy))) return [];
  return conclude(search);
}

/** Whether a training of it could still start or go on. */
function isUnfinished(trial: TrialState): boolean {
  if (trial.isOut || isLost(trial)) return false;
  return trial.trainings.some(({ status }) => status === 'waiting' || !isEnded(status));
}

/** Whether one of its trainings failed or was cancelled, so the others are not needed. */
function isLost({ trainings }: TrialState): boolean {
  return trainings.some(({ status }) => status === 'failed' || status === 'cancelled');
}

/** A training that is waiting, or is paused before its rung, in the order of the trials. */
function startRuns({ parallel, trials }: SearchState, remaining: readonly TrialState[]): SearchAction[] {
  const busy = trials.flatMap(({ trainings }) => trainings).filter(isBusy).length;
  return remaining
    .flatMap(({ trial, rung, trainings }) =>
      trainings
        .filter(
          ({ status, measured }) => status === 'waiting' || (status === 'paused' && measured.length <= rung),
        )
        .map(({ repeat }): SearchAction => ({ type: 'start', training: { trial, repeat } })),
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
