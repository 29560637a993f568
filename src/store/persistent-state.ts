/** The persistent state: jobs with their metrics and events, models, data sets, and blobs. */

import type { RefCountedBlobs } from './blobs/ref-counted.ts';
import type { TemporaryFiles } from './blobs/temporary.ts';
import type { BootstrapKeys } from './bootstrap-key.ts';
import { type Checkpoints, createCheckpoints } from './checkpoints/repository.ts';
import { ALONE, createLocalNotices } from './database/notices.ts';
import type { Rows } from './database/rows.ts';
import type { Datasets } from './datasets/repository.ts';
import { createStoredResponses } from './idempotency.ts';
import { createEpochRecords } from './jobs/epoch-records.ts';
import { createEvents } from './jobs/events.ts';
import { createReadJobGauges } from './jobs/gauges.ts';
import { createJobs, type Jobs } from './jobs/repository.ts';
import { createAliases } from './models/aliases.ts';
import { createLooks } from './models/looks.ts';
import { createModels } from './models/repository.ts';
import type { Membership } from './postgres/replicas/membership.ts';
import type { RateLeases } from './postgres/replicas/rate-leases.ts';
import type { DatabaseSizes } from './postgres/sizes.ts';
import { createPredictionJobs, type PredictionJobs } from './predictions/repository.ts';
import type { Retention } from './retention.ts';
import { createSearches } from './searches/repository.ts';
import { createWebhooks } from './webhooks/outbox.ts';

export type { TemporaryFiles } from './blobs/temporary.ts';
export type { StoreLog } from './database/log.ts';
export type { Page } from './database/pagination.ts';
export type { JobOutcome } from './jobs/finish.ts';
export type { NewVersion } from './models/versions.ts';
export type { PredictionRun } from './predictions/runs.ts';
export type { Run } from './runs/writes.ts';

export type Store = ReturnType<typeof createStore>;

/** Implementations of what differs between one process and several. */
export interface StoreParts {
  readonly rows: Rows;
  /** Parameters of versions only; unreferenced blobs are removed. */
  readonly blobs: RefCountedBlobs;
  /** Holds checkpoints only. */
  readonly checkpointBlobs: RefCountedBlobs;
  /** Holds files of prediction jobs only. */
  readonly predictionBlobs: RefCountedBlobs;
  readonly datasets: Datasets;
  readonly bootstrapKeys: BootstrapKeys;
  readonly temporaryFiles: TemporaryFiles;
  /** Shares rate limits; undefined if no other process shares the database. */
  readonly rateLeases?: RateLeases;
  /** Maintenance of the database, to be run once an hour. A long task ends early when the signal aborts. */
  readonly hourlyTasks?: readonly ((signal: AbortSignal) => Promise<unknown>)[];
  /** Measures a database that is not in the state directory. */
  readonly measureDatabase?: () => Promise<DatabaseSizes>;
  /** Undefined if no other process shares the database. */
  readonly membership?: Membership | undefined;
  openRetention(rows: Rows, checkpoints: Checkpoints, jobs: Jobs, predictionJobs: PredictionJobs): Retention;
  /** Called when the database is closed. */
  onClosed(): void;
}

export function createStore(parts: StoreParts) {
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
    /** Only runs write checkpoints. */
    checkpoints: checkpoints as Checkpoints,
    searches: createSearches(rows, checkpoints),
    readJobGauges: createReadJobGauges(rows.db),
    predictionJobs,
    retention: openRetention(rows, checkpoints, jobs, predictionJobs),
    rateLeases: parts.rateLeases,
    hourlyTasks: parts.hourlyTasks ?? [],
    measureDatabase: parts.measureDatabase,
    /** Changes by this process and by others. */
    notices: membership?.notices ?? createLocalNotices(rows),
    agreement: membership?.agreement ?? ALONE,
    /** The processes that share the database; undefined if no other process can. */
    replicas: membership?.replicas,
    /** For writes that end a job; deletions, cancellations and pauses use it themselves. */
    withReserve: rows.withReserve,
    /**
     * @throws AtelierError `state-unusable` if the database cannot be read, or its files were removed or replaced;
     *   `storage-unavailable` if it does not answer
     */
    assertUsable: rows.assertUsable,
    /** Files of responses that are too large for memory. */
    temporaryFiles,
    /** Waits for pending statements, closes the database and releases the lock of a state directory. */
    async close() {
      await membership?.leave();
      await rows.close();
      parts.onClosed();
    },
  };
}
