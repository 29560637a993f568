/** Converts training jobs to and from rows. */
import type { EpochRecord, Progress } from '../../domain/jobs/epoch-record.ts';
import { type DeliveryState, newDelivery } from '../../domain/jobs/notify.ts';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import { isEnded } from '../../domain/jobs/status.ts';
import type { GradientCheckSummary, TrainingJob } from '../../domain/jobs/training.ts';
import type { Publication } from '../../domain/training/publication.ts';
import {
  type Arithmetic,
  compareReproduction,
  type ExecutionEnvironment,
  type ReproductionTarget,
} from '../../domain/training/reproducibility.ts';
import { decode, decodeOptional, encode } from '../database/json-column.ts';
import { toError } from '../database/row-error.ts';
import type { JobRow, SearchRow } from '../database/tables.ts';
import { resolvedWarmStart } from '../models/versions.ts';
import type { RunKey } from './events.ts';

/** A job of a search. */
export interface SearchMembership {
  readonly id: string;
  /** null for the final training */
  readonly trial: number | null;
  readonly stopAfterEpoch: number | null;
}

/** Content of `preemption` of a queued job. */
export interface StoredPreemption extends Partial<RunKey> {
  /** Id of the job for which this one was stopped; `id` and `run` identify the run that was stopped for this one. */
  readonly preemptedBy?: string | undefined;
}

export function newJobRow(
  id: string,
  createdAt: string,
  request: ResolvedTrainingRequest,
  progress: Progress,
  target: ReproductionTarget | null,
  webhookUrl: string | null,
  search: SearchMembership | null,
  traceparent: string | null,
): JobRow {
  const start = request.warmStart === null ? null : resolvedWarmStart(request.warmStart);
  return {
    id,
    status: 'queued',
    request: encode(request),
    created_at: createdAt,
    started_at: null,
    finished_at: null,
    attempts: 0,
    progress: encode(progress),
    latest: null,
    warnings: null,
    best: null,
    model_version: null,
    stopped_step: null,
    stopped_reason: null,
    gradient_check: null,
    digest: null,
    circumstances: null,
    expectation: target && encode(target),
    error_code: null,
    error_message: null,
    waiting: null,
    pause_reason: null,
    unclean_ends: 0,
    run: 0,
    runner: null,
    origin: null,
    mixed: 0,
    warm_start_name: start?.name ?? null,
    warm_start_version: start?.version ?? null,
    event_count: 1,
    publication: null,
    priority: request.priority,
    preemption: null,
    notify: webhookUrl === null ? null : encode(newDelivery(webhookUrl)),
    traceparent,
    search_id: search?.id ?? null,
    search_trial: search?.trial ?? null,
    stop_after_epoch: search?.stopAfterEpoch ?? null,
    result_epoch: null,
  };
}

/** Member of events and messages of a job that was created within a trace. */
export const traceOf = ({ traceparent }: Pick<JobRow | SearchRow, 'traceparent'>) =>
  traceparent === null ? null : { traceparent };

export function toJob(row: JobRow): TrainingJob {
  const stored = decode<ResolvedTrainingRequest>(row.request);
  // Jobs of earlier releases have neither rotation nor scale.
  const { horizontalFlip, shift, rotation = 0, scale = 0, ...others } = stored.training.augmentation;
  const augmentation = { horizontalFlip, shift, rotation, scale, ...others };
  // Nor convolutions.
  const { convolutions = [], norm = 'none', ...layers } = stored.network;
  const network = { convolutions, norm, ...layers };
  const request = {
    ...stored,
    network,
    training: { ...stored.training, augmentation },
    priority: row.priority,
  };
  const stoppedAt =
    row.stopped_step === null || row.stopped_reason === null
      ? null
      : { step: row.stopped_step, reason: row.stopped_reason };
  return {
    ...request,
    id: row.id,
    status: row.status,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    waiting: row.waiting,
    pauseReason: row.pause_reason,
    preemptedBy: toPreemptedBy(row),
    progress: toProgress(row),
    latest: decodeOptional<EpochRecord>(row.latest),
    warnings: decodeOptional<TrainingJob['warnings']>(row.warnings) ?? [],
    best: decodeOptional<EpochRecord>(row.best),
    model: row.model_version === null ? null : { name: request.modelName, version: row.model_version },
    attempts: row.attempts,
    stoppedAt,
    gradientCheckReport: decodeOptional<GradientCheckSummary>(row.gradient_check),
    publication: decodeOptional<Publication>(row.publication),
    notify: decodeOptional<DeliveryState>(row.notify),
    traceparent: row.traceparent,
    digest: row.digest,
    receipt: toReceipt(row, request, stoppedAt),
    search: row.search_id === null ? null : { id: row.search_id, trial: row.search_trial },
    verification: toVerification(row),
    error: toError(row),
  };
}

function toPreemptedBy({ status, preemption }: JobRow): string | null {
  if (status !== 'queued' || preemption === null) return null;
  return decode<StoredPreemption>(preemption).preemptedBy ?? null;
}

function toProgress(row: JobRow): Progress {
  const progress = decode<Progress>(row.progress);
  return isEnded(row.status) ? { ...progress, etaSeconds: 0 } : progress;
}

function toReceipt(
  { circumstances: environment, mixed, digest }: JobRow,
  request: ResolvedTrainingRequest,
  stoppedAt: TrainingJob['stoppedAt'],
): TrainingJob['receipt'] {
  if (environment === null || stoppedAt === null) return null;
  return {
    ...decode<ExecutionEnvironment>(environment),
    request,
    seed: request.seed,
    stoppedAt,
    mixed: mixed === 1,
    digest,
  };
}

export function toVerification(row: JobRow): TrainingJob['verification'] {
  const { expectation, circumstances, origin, mixed, digest } = row;
  if (expectation === null) return null;
  const environments = [circumstances, mixed === 1 ? origin : null];
  return compareReproduction(
    decode<ReproductionTarget>(expectation),
    environments.flatMap((environment) => (environment === null ? [] : decode<Arithmetic>(environment))),
    digest,
  );
}
