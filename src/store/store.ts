/** The persistent state: jobs with their metrics and events, models, data sets, and blobs. */
import { type Aliases, createAliases } from './aliases.ts';
import type { BootstrapKeys } from './bootstrap-key.ts';
import { type Checkpoints, createCheckpoints } from './checkpoints.ts';
import type { Datasets } from './datasets.ts';
import { createEpochRecords, type EpochRecords } from './epoch-records.ts';
import { createEvents, type Events } from './events.ts';
import { createStoredResponses, type StoredResponses } from './idempotency.ts';
import { createReadJobGauges, type ReadJobGauges } from './job-gauges.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { createLooks, type Looks } from './looks.ts';
import { createModels, type Models } from './models.ts';
import { type Agreement, ALONE, createLocalNotices, type Notices } from './notices.ts';
import type { DatabaseSizes } from './postgres/database-sizes.ts';
import type { Membership } from './postgres/membership.ts';
import type { RateLeases } from './postgres/rate-leases.ts';
import type { Replicas } from './postgres/replicas.ts';
import { createPredictionJobs, type PredictionJobs } from './prediction-jobs.ts';
import type { RefCountedBlobs } from './ref-counted-blobs.ts';
import type { Retention } from './retention.ts';
import type { Rows, WithReserve } from './rows.ts';
import { createSearches, type Searches } from './searches.ts';
import type { TemporaryFiles } from './temporary-files.ts';
import { createWebhooks, type Webhooks } from './webhooks.ts';

export type { Checkpoints } from './checkpoints.ts';
export type { Datasets } from './datasets.ts';
export type { EpochRecords } from './epoch-records.ts';
export type { Events } from './events.ts';
export type { JobOutcome } from './job-status.ts';
export type { Jobs } from './jobs.ts';
export type { Looks } from './looks.ts';
export type { NewVersion } from './model-versions.ts';
export type { Models } from './models.ts';
export type { Page } from './pagination.ts';
export type { PredictionJobs } from './prediction-jobs.ts';
export type { PredictionRun } from './prediction-runs.ts';
export type { Run } from './runs.ts';
export type { StoreLog } from './store-log.ts';
export type { TemporaryFiles } from './temporary-files.ts';

export interface Store {
  readonly jobs: Jobs;
  readonly epochRecords: EpochRecords;
  readonly events: Events;
  readonly webhooks: Webhooks;
  readonly models: Models;
  readonly aliases: Aliases;
  readonly looks: Looks;
  readonly storedResponses: StoredResponses;
  readonly bootstrapKeys: BootstrapKeys;
  /** Parameters of versions only; unreferenced blobs are removed. */
  readonly blobs: RefCountedBlobs;
  readonly datasets: Datasets;
  readonly checkpoints: Checkpoints;
  readonly predictionJobs: PredictionJobs;
  readonly searches: Searches;
  readonly retention: Retention;
  readonly readJobGauges: ReadJobGauges;
  /** Shares rate limits; undefined if no other process shares the database. */
  readonly rateLeases?: RateLeases | undefined;
  /** Maintenance of the database, to be run once an hour. A long task ends early when the signal aborts. */
  readonly hourlyTasks: readonly ((signal: AbortSignal) => Promise<unknown>)[];
  /** Changes by this process and by others. */
  readonly notices: Notices;
  readonly agreement: Agreement;
  /** The processes that share the database; undefined if no other process can. */
  readonly replicas?: Replicas | undefined;
  /** Measures a database that is not in the state directory; undefined if it is. */
  readonly measureDatabase?: (() => Promise<DatabaseSizes>) | undefined;
  /** For writes that end a job; deletions, cancellations and pauses use it themselves. */
  readonly withReserve: WithReserve;
  /**
   * @throws AtelierError `state-unusable` if the database cannot be read, or its files were removed or replaced;
   *   `storage-unavailable` if it does not answer
   */
  assertUsable(): Promise<void>;
  /** Files of responses that are too large for memory. */
  readonly temporaryFiles: TemporaryFiles;
  /** Waits for pending statements, closes the database and releases the lock of a state directory. */
  close(): Promise<void>;
}

/** Implementations of what differs between one process and several. */
export interface StoreParts {
  readonly rows: Rows;
  /** Parameters of versions. */
  readonly blobs: RefCountedBlobs;
  /** Holds checkpoints only. */
  readonly checkpointBlobs: RefCountedBlobs;
  /** Holds files of prediction jobs only. */
  readonly predictionBlobs: RefCountedBlobs;
  readonly datasets: Datasets;
  readonly bootstrapKeys: BootstrapKeys;
  readonly temporaryFiles: TemporaryFiles;
  readonly rateLeases?: RateLeases;
  readonly hourlyTasks?: Store['hourlyTasks'];
  readonly measureDatabase?: Store['measureDatabase'];
  /** Undefined if no other process shares the database. */
  readonly membership?: Membership | undefined;
  openRetention(rows: Rows, checkpoints: Checkpoints, jobs: Jobs, predictionJobs: PredictionJobs): Retention;
  /** Called when the database is closed. */
  onClosed(): void;
}

export function createStore(parts: StoreParts): Store {
  const { rows, blobs, checkpointBlobs, datasets, temporaryFiles, openRetention, membership } = parts;
  const checkpoints = createCheckpoints(rows, checkpointBlobs);
  const jobs = createJobs(rows, checkpoints);
  const predictionJobs = createPredictionJobs(rows, parts.predictionBlobs);
  return {
    jobs,
    epochRecords: createEpochRecords(rows),
    events: createEvents(rows),
    webhooks: createWebhooks(rows),
    models: createModels(rows, blobs),
    aliases: createAliases(rows),
    looks: createLooks(rows),
    storedResponses: createStoredResponses(rows),
    bootstrapKeys: parts.bootstrapKeys,
    blobs,
    datasets,
    checkpoints,
    searches: createSearches(rows, checkpoints),
    readJobGauges: createReadJobGauges(rows.db),
    predictionJobs,
    retention: openRetention(rows, checkpoints, jobs, predictionJobs),
    rateLeases: parts.rateLeases,
    hourlyTasks: parts.hourlyTasks ?? [],
    measureDatabase: parts.measureDatabase,
    notices: membership?.notices ?? createLocalNotices(rows),
    agreement: membership?.agreement ?? ALONE,
    replicas: membership?.replicas,
    withReserve: rows.withReserve,
    assertUsable: rows.assertUsable,
    temporaryFiles,
    async close() {
      await membership?.leave();
      await rows.close();
      parts.onClosed();
    },
  };
}
