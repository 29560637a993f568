/** What survives: jobs, their metrics and events, models, and the bytes that these refer to by digest. */
import type { EpochRecord, Progress } from '../domain/metrics.ts';
import type { Model, ModelVersion } from '../domain/model.ts';
import type { EventType, JobEvent, JobStatus, TrainingJob, TrainingRequest } from '../domain/training-job.ts';
import type { ErrorCode } from '../errors.ts';

export interface Page<T> {
  readonly data: T[];
  readonly hasMore: boolean;
}

/** What a training run leaves behind; the store adds name, number, time and job. */
export type NewVersion = Omit<ModelVersion, 'name' | 'version' | 'createdAt' | 'jobId'>;

/** How a job ended; `step` is the number of steps done. */
export type JobOutcome =
  | { readonly status: 'succeeded'; readonly step: number; readonly model: NewVersion }
  | {
      readonly status: 'failed';
      readonly step: number;
      readonly error: { readonly code: ErrorCode; readonly message: string };
    }
  | { readonly status: 'cancelled'; readonly step: number };

/**
 * Every change of status goes through the domain's `transition` and appends its `status` event in the same
 * transaction.
 * All methods that take an id throw AtelierError `training-job-not-found`, except `get`; all that change
 * the status throw `illegal-transition`.
 */
export interface Jobs {
  /** @throws AtelierError `queue-full` when `queueLimit` jobs are queued already; checked in the transaction. */
  create(
    request: TrainingRequest,
    progress: Progress,
    options?: { readonly queueLimit?: number },
  ): Promise<TrainingJob>;
  get(id: string): Promise<TrainingJob | undefined>;
  /** Newest first; `after` is exclusive and need not exist. */
  list(query: {
    readonly limit: number;
    readonly after?: string | undefined;
    readonly status?: JobStatus | undefined;
  }): Promise<Page<TrainingJob>>;
  /** The queued job that has waited longest. */
  nextQueued(): Promise<TrainingJob | undefined>;
  count(status: JobStatus): Promise<number>;
  isEmpty(): Promise<boolean>;
  /** Begins a further attempt: what an interrupted one measured is cleared. */
  start(id: string): Promise<TrainingJob>;
  /** queued → cancelled at once; running → cancelling, until the worker has stopped. */
  requestCancel(id: string): Promise<TrainingJob>;
  /** Puts a running job back because the service stops. */
  requeue(id: string): Promise<TrainingJob>;
  /** At start: what a killed process left running is queued again, what it was cancelling is cancelled. */
  requeueInterrupted(): Promise<TrainingJob[]>;
  /** Success publishes the next version of the job's model; its parameters must be in `blobs` already. */
  finish(id: string, outcome: JobOutcome): Promise<TrainingJob>;
  /** With its `progress` event. @throws AtelierError `illegal-transition` unless running or cancelling. */
  recordProgress(id: string, progress: Progress): Promise<void>;
  /** Metrics, latest, best, progress and the `epoch` event. @throws as `recordProgress` */
  recordEpoch(id: string, record: EpochRecord, progress: Progress): Promise<void>;
}

export interface Metrics {
  /** All epochs of the current attempt, ascending. */
  list(jobId: string): Promise<EpochRecord[]>;
}

export interface Events {
  /** @throws AtelierError `training-job-not-found` */
  append(jobId: string, type: EventType, data: JobEvent['data']): Promise<JobEvent>;
  /** Ascending; `after` is exclusive. */
  list(
    jobId: string,
    query: { readonly limit: number; readonly after?: number | undefined },
  ): Promise<Page<JobEvent>>;
}

export interface Models {
  get(name: string): Promise<Model | undefined>;
  /**
   * By the creation of their first version, newest first: publishing a further version moves nothing.
   * @throws AtelierError `invalid-request` when no model is named `after`
   */
  list(query: { readonly limit: number; readonly after?: string | undefined }): Promise<Page<Model>>;
  /** Newest first; `after` is a version number. */
  versions(
    name: string,
    query: { readonly limit: number; readonly after?: number | undefined },
  ): Promise<Page<ModelVersion>>;
  /** The newest when no version is given. */
  version(name: string, version?: number): Promise<ModelVersion | undefined>;
}

export interface BlobStore {
  /** Durable when it resolves; the same bytes give the same digest, `sha256:` and 64 hex digits. */
  put(bytes: Uint8Array): Promise<string>;
  /**
   * The bytes in a buffer of their own, from offset 0.
   * @throws AtelierError `state-unusable` when missing or damaged
   */
  get(digest: string): Promise<Uint8Array>;
}

export interface Store {
  readonly jobs: Jobs;
  readonly metrics: Metrics;
  readonly events: Events;
  readonly models: Models;
  readonly blobs: BlobStore;
  /** Waits for transactions under way, closes the database and releases the directory. */
  close(): Promise<void>;
}

/** @throws AtelierError `state-locked`, `state-unusable` */
export async function openStore(stateDir: string): Promise<Store> {
  throw new Error(`not built yet: ${stateDir}`);
}
