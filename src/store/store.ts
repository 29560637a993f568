/** The persistent state: jobs with their metrics and events, models, data sets, and blobs. */
import { join, resolve } from 'node:path';
import { type Aliases, createAliases } from './aliases.ts';
import { openBlobs } from './blobs.ts';
import { type Checkpoints, createCheckpoints } from './checkpoints.ts';
import { type Datasets, openDatasets } from './datasets.ts';
import { prepareDirectory } from './directory.ts';
import { createEpochRecords, type EpochRecords } from './epoch-records.ts';
import { createEvents, type Events } from './events.ts';
import { createStoredResponses, type StoredResponses } from './idempotency.ts';
import { createReadJobGauges, type ReadJobGauges } from './job-gauges.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { isPublished } from './model-versions.ts';
import { createModels, type Models } from './models.ts';
import { createRefCountedBlobs, type RefCountedBlobs } from './ref-counted-blobs.ts';
import { createRetention, type Retention } from './retention.ts';
import { openDatabase } from './sqlite/database.ts';
import { createDatabaseFiles } from './sqlite/database-files.ts';
import type { OnCommitted } from './sqlite/event-notifications.ts';
import { lockDirectory } from './sqlite/lock.ts';
import { openSpaceReserve, type WithReserve } from './sqlite/space-reserve.ts';
import { rejectFilesWithoutDatabase, sweepUnreferencedFiles } from './sqlite/unreferenced-files.ts';
import { openTemporaryFiles, type TemporaryFiles } from './temporary-files.ts';

export type { Checkpoints } from './checkpoints.ts';
export type { Datasets } from './datasets.ts';
export type { EpochRecords } from './epoch-records.ts';
export type { Events } from './events.ts';
export type { JobOutcome } from './job-status.ts';
export type { Jobs } from './jobs.ts';
export type { NewVersion } from './model-versions.ts';
export type { Models } from './models.ts';
export type { Page } from './pagination.ts';
export type { Run } from './runs.ts';
export type { TemporaryFiles } from './temporary-files.ts';

export interface Store {
  readonly jobs: Jobs;
  readonly epochRecords: EpochRecords;
  readonly events: Events;
  readonly models: Models;
  readonly aliases: Aliases;
  readonly storedResponses: StoredResponses;
  /** Parameters of versions only; unreferenced blobs are removed. */
  readonly blobs: RefCountedBlobs;
  readonly datasets: Datasets;
  readonly checkpoints: Checkpoints;
  readonly retention: Retention;
  readonly readJobGauges: ReadJobGauges;
  /** For writes that end a job; deletions, cancellations and pauses use it themselves. */
  readonly withReserve: WithReserve;
  /** @throws AtelierError `state-unusable` if the database cannot be read, or its files were removed or replaced */
  assertUsable(): Promise<void>;
  /** Files of responses that are too large for memory. */
  readonly temporaryFiles: TemporaryFiles;
  /** Waits for pending statements, closes the database and releases the lock of the directory. */
  close(): Promise<void>;
}

export interface StoreLog {
  /** Receives the steps of checking and migrating the database. */
  info(fields: object, message: string): void;
  /** Receives advice if files were moved to `lost+found`, or the write-ahead log cannot be copied. */
  warn(message: string): void;
}

/** @throws AtelierError `state-locked`, `state-unusable` */
export async function openStore(stateDir: string, log: StoreLog = { info() {}, warn() {} }): Promise<Store> {
  const directory = resolve(stateDir);
  await prepareDirectory(directory);
  const lock = lockDirectory(directory);
  try {
    const listeners = new Set<OnCommitted>();
    const file = join(directory, 'atelier.sqlite');
    await rejectFilesWithoutDatabase(directory, file);
    const files = createDatabaseFiles(file);
    const db = await openDatabase(file, {
      onCommitted(...written) {
        for (const listener of listeners) listener(...written);
      },
      report: (message, fields) => log.info(fields, message),
      beforeCommit: files.assertInPlace,
      warn: (message) => log.warn(message),
    });
    files.remember();
    const reserve = await openSpaceReserve(directory);
    const { withReserve } = reserve;
    const parameters = await openBlobs(join(directory, 'blobs'), 'the parameters of the model version');
    const blobs = createRefCountedBlobs(parameters, (digest) => isPublished(db, digest));
    const checkpointFiles = await openBlobs(join(directory, 'checkpoints'), 'the checkpoint');
    const checkpoints = createCheckpoints(db, checkpointFiles);
    await sweepUnreferencedFiles(db, directory, (message) => log.warn(message));
    return {
      jobs: createJobs(db, checkpoints, withReserve),
      epochRecords: createEpochRecords(db),
      events: createEvents(db, listeners),
      models: createModels(db, blobs, withReserve),
      aliases: createAliases(db, withReserve),
      storedResponses: createStoredResponses(db),
      blobs,
      datasets: await openDatasets(db, join(directory, 'datasets'), withReserve),
      checkpoints,
      readJobGauges: createReadJobGauges(db),
      retention: createRetention(db, checkpoints),
      withReserve,
      async assertUsable() {
        files.assertInPlace();
        await db.selectFrom('jobs').select('id').limit(1).execute();
      },
      temporaryFiles: await openTemporaryFiles(join(directory, 'temporary')),
      async close() {
        await db.destroy();
        await reserve.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}
