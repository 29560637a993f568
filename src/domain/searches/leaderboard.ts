/** Leaderboard and progress of a search: its trials, best first. */
import type { JobStatus } from '../jobs/status.ts';
import type { Search, SearchBest, SearchProgress, Trial } from './representation.ts';
import type { ResolvedSearchRequest } from './request.ts';
import type { Setting } from './settings.ts';
import { nameValues } from './trial-request.ts';
import { accuracyError, rank, type TrainingState, type TrialState, withinOneError } from './trials.ts';

/** A trial with the facts about its jobs that the decisions do not need. */
export interface ListedTrial extends TrialState {
  readonly setting: Setting;
  readonly trainings: readonly (TrainingState & {
    readonly jobId: string | null;
    readonly epochs: number;
    readonly error: string | null;
  })[];
}

type Request = Pick<ResolvedSearchRequest, 'vary' | 'objective'>;

/** The status of the training that decides about the trial: the earliest in this order. */
const ORDER: readonly Trial['status'][] = [
  'failed',
  'cancelled',
  'running',
  'pausing',
  'cancelling',
  'queued',
  'paused',
  'waiting',
  'succeeded',
];

type Progress = Pick<Search, 'finishing' | 'finishedAt'>;

function trialStatus({ isOut, trainings }: TrialState, { finishing, finishedAt }: Progress): Trial['status'] {
  const statuses = trainings.map(({ status }) => status);
  const status = ORDER.find((each) => statuses.includes(each as JobStatus | 'waiting'))!;
  if (isOut && status !== 'failed') return 'stopped';
  if (status !== 'waiting' || (!finishing && finishedAt === null)) return status;
  return statuses.every((each) => each === 'waiting') ? 'skipped' : 'stopped';
}

export function rankTrials(
  trials: readonly ListedTrial[],
  search: Request & Progress,
  validationImages: number,
): Trial[] {
  const { objective } = search;
  const ranked = rank(trials, objective);
  const close = withinOneError(ranked, objective, validationImages);
  const byNumber = new Map(trials.map((trial) => [trial.trial, trial]));
  return ranked.map((standing, n): Trial => {
    const trial = byNumber.get(standing.trial)!;
    const { value, deviation, isFailed, validationLoss, validationAccuracy, epoch } = standing;
    const ofOne =
      objective === 'validationAccuracy' && value !== null ? accuracyError(value, validationImages) : null;
    return {
      rank: value === null || isFailed ? null : n + 1,
      trial: trial.trial,
      values: nameValues(search, trial.setting),
      status: trialStatus(trial, search),
      rung: standing.reached,
      value,
      standardError: deviation ?? ofOne,
      withinOneError: close.has(trial.trial),
      validationLoss,
      validationAccuracy,
      epoch,
      epochs: trial.trainings.reduce((sum, { epochs }) => sum + epochs, 0),
      jobs: trial.trainings.flatMap(({ jobId }) => jobId ?? []),
      error: trial.trainings.find(({ error }) => error !== null)?.error ?? null,
    };
  });
}

/** The best trial; null before the first result. */
export function findBest(trials: readonly ListedTrial[], request: Request): SearchBest | null {
  const [best] = rank(trials, request.objective);
  if (best === undefined || best.isFailed || best.value === null) return null;
  const { setting } = trials.find(({ trial }) => trial === best.trial)!;
  return {
    trial: best.trial,
    values: nameValues(request, setting),
    value: best.value,
    validationLoss: best.validationLoss!,
    validationAccuracy: best.validationAccuracy!,
    epoch: best.epoch,
  };
}

export function countProgress(
  trials: readonly ListedTrial[],
  search: Progress,
  plannedEpochs: number,
): SearchProgress {
  const statuses = trials.map((trial) => trialStatus(trial, search));
  const count = (...counted: Trial['status'][]) =>
    statuses.filter((status) => counted.includes(status)).length;
  return {
    trials: trials.length,
    waiting: count('waiting'),
    active: count('queued', 'running', 'pausing', 'cancelling'),
    paused: count('paused'),
    succeeded: count('succeeded'),
    stopped: count('stopped'),
    skipped: count('skipped'),
    failed: count('failed'),
    cancelled: count('cancelled'),
    epochs: trials.flatMap(({ trainings }) => trainings).reduce((sum, { epochs }) => sum + epochs, 0),
    plannedEpochs,
  };
}
