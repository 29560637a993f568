/** Trials of a search as its decisions see them, and their ranking. */
import type { JobStatus } from '../jobs/status.ts';
import type { Objective } from './request.ts';

/** Validation figures of a training at the end of an epoch. */
export interface Measured {
  readonly epoch: number;
  readonly validationLoss: number;
  readonly validationAccuracy: number;
}

/** One training of a trial. */
export interface TrainingState {
  /** From 0; the seed is the search's plus this number. */
  readonly repeat: number;
  /** `waiting` until its job is created. */
  readonly status: JobStatus | 'waiting';
  /** Why the service paused it; null if it did not. */
  readonly pauseReason: string | null;
  /**
   * The figures at each rung that it has reached. Those of the last rung are of the epoch whose parameters the training
   * would publish, so they exist once it has succeeded.
   */
  readonly measured: readonly Measured[];
}

/** A trial: one setting, trained once for each repeat. */
export interface TrialState {
  /** From 1. */
  readonly trial: number;
  /** Index of the rung that it trains towards. */
  readonly rung: number;
  /** Whether it has been stopped at a rung. */
  readonly isOut: boolean;
  readonly trainings: readonly TrainingState[];
}

export interface Standing {
  readonly trial: number;
  /** Number of rungs that all its trainings have reached. */
  readonly reached: number;
  /** Whether a training has failed. */
  readonly isFailed: boolean;
  /** Mean of the objective at the last rung reached; null before the first. */
  readonly value: number | null;
  /** Standard error of the mean of several trainings; null for one. */
  readonly deviation: number | null;
  readonly validationLoss: number | null;
  readonly validationAccuracy: number | null;
  /** The epoch of the value; null without one, and if it differs between the trainings. */
  readonly epoch: number | null;
}

export function computeStanding({ trial, trainings }: TrialState, objective: Objective): Standing {
  const reached = Math.min(...trainings.map(({ measured }) => measured.length));
  const isFailed = trainings.some(({ status }) => status === 'failed');
  const at = reached === 0 ? [] : trainings.map(({ measured }) => measured[reached - 1]!);
  const values = at.map((measured) => measured[objective]);
  const epochs = new Set(at.map(({ epoch }) => epoch));
  return {
    trial,
    reached,
    isFailed,
    value: mean(values),
    deviation: errorOfMean(values),
    validationLoss: mean(at.map(({ validationLoss }) => validationLoss)),
    validationAccuracy: mean(at.map(({ validationAccuracy }) => validationAccuracy)),
    epoch: epochs.size === 1 ? at[0]!.epoch : null,
  };
}

/** Best first: the trials that got furthest, by the objective, then by number; failed ones last. */
export function rank(trials: readonly TrialState[], objective: Objective): Standing[] {
  const sign = objective === 'validationLoss' ? 1 : -1;
  return trials
    .map((trial) => computeStanding(trial, objective))
    .sort(
      (a, b) =>
        Number(a.isFailed) - Number(b.isFailed) ||
        b.reached - a.reached ||
        sign * ((a.value ?? 0) - (b.value ?? 0)) ||
        a.trial - b.trial,
    );
}

/**
 * The trials whose difference from the best one may be chance: they got as far, and their figure is within one standard
 * error of its figure. It is the error of the mean over the repeats, or of an accuracy on n images, √(p(1 − p) / n).
 * @param ranked best first
 */
export function withinOneError(
  ranked: readonly Standing[],
  objective: Objective,
  validationImages: number,
): Set<number> {
  const best = ranked[0];
  if (best === undefined || best.isFailed || best.value === null) return new Set();
  const peers = ranked.filter(({ isFailed, reached }) => !isFailed && reached === best.reached);
  if (best.deviation !== null) {
    const { value, deviation } = best;
    const sign = objective === 'validationLoss' ? 1 : -1;
    const close = peers.filter((peer) => sign * (peer.value! - value) <= deviation);
    return new Set(close.map(({ trial }) => trial));
  }
  const error = accuracyError(best.validationAccuracy!, validationImages);
  const close = peers.filter(
    (peer) => peer === best || peer.validationAccuracy! >= best.validationAccuracy! - error,
  );
  return new Set(close.map(({ trial }) => trial));
}

/** Standard error of an accuracy p on n images. */
export function accuracyError(p: number, n: number): number {
  return Math.sqrt((p * (1 - p)) / n);
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** s / √r with the standard deviation of the sample; null for fewer than two values. */
function errorOfMean(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const average = mean(values)!;
  const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}
