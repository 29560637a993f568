/** The persistent state: jobs with their metrics and events, models, data sets, and blobs. */

import type { RefCountedBlobs } from './blobs/ref-counted.ts';
import type { TemporaryFiles } from './blobs/temporary.ts';
import type { BootstrapKeys } from './bootstrap-key.ts';
import { type Checkpoints, createCheckpoints } from './checkpoints/repository.ts';
import { type Agreement, ALONE, createLocalNotices, type Notices } from './database/notices.ts';
import type { Rows, WithReserve } from './database/rows.ts';
import type { Datasets } from './datasets/repository.ts';
import { createStoredResponses, type StoredResponses } from './idempotency.ts';
import { createEpochRecords, type EpochRecords } from './jobs/epoch-records.ts';
import { createEvents, type Events } from './jobs/events.ts';
import { createReadJobGauges, type ReadJobGauges } from './jobs/gauges.ts';
import { createJobs, type Jobs } from './jobs/repository.ts';
import { type Aliases, createAliases } from './models/aliases.ts';
import { createLooks, type Looks } from './models/looks.ts';
import { createModels, type Models } from './models/repository.ts';
import type { Membership } from './postgres/replicas/membership.ts';
import type { Replicas } from './postgres/replicas/processes.ts';
import type { RateLeases } from './postgres/replicas/rate-leases.ts';
import type { DatabaseSizes } from './postgres/sizes.ts';
import { createPredictionJobs, type PredictionJobs } from './predictions/repository.ts';
import type { Retention } from './retention.ts';
import { createSearches, type Searches } from './searches/repository.ts';
import { createWebhooks, type Webhooks } from './webhooks/outbox.ts';

export type { TemporaryFiles } from './blobs/temporary.ts';
export type { Checkpoints } from './checkpoints/repository.ts';
export type { StoreLog } from './database/log.ts';
export type { Page } from './database/pagination.ts';
export type { Datasets } from './datasets/repository.ts';
export type { EpochRecords } from './jobs/epoch-records.ts';
export type { Events } from './jobs/events.ts';
export type { JobOutcome } from './jobs/finish.ts';
export type { Jobs } from './jobs/repository.ts';
export type { Looks } from './models/looks.ts';
export type { Models } from './models/repository.ts';
export type { NewVersion } from './models/versions.ts';
export type { PredictionJobs } from './predictions/repository.ts';
export type { PredictionRun } from './predictions/runs.ts';
export type { Run } from './runs/writes.ts';

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
