/** The store of several processes: a PostgreSQL database, blobs in it or in a bucket, and a directory with a cache. */
import { join, resolve } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { AtelierError, hasCode } from '../../errors.ts';
import type { BlobStore } from '../blobs/content-addressed.ts';
import { prepareDirectory } from '../blobs/directory.ts';
import { openTemporaryFiles } from '../blobs/temporary.ts';
import { newestTime } from '../database/newest-time.ts';
import type { Database } from '../database/tables.ts';
import { rememberTime } from '../database/timestamps.ts';
import { MIGRATION_TABLE } from '../migrations/migrate.ts';
import { createStore, type Store, type StoreLog } from '../persistent-state.ts';
import type { Tickets } from '../runs/tickets.ts';
import type { S3Credentials } from '../s3/client.ts';
import type { Objects } from '../s3/objects.ts';
import { lockDirectory } from '../sqlite/lock.ts';
import { assertTransferred } from '../transfer/run.ts';
import { createChunkedBlobs } from './blobs/chunked.ts';
import { collectBlobs } from './blobs/collect.ts';
import { createReferencedBlobs } from './blobs/referenced.ts';
import { createSharedBootstrapKey } from './bootstrap-key.ts';
import {
  createStorePool,
  type PostgresOptions,
  SCHEMA,
  type SendStatements,
  sendStatements,
  toDatabase,
} from './connect.ts';
import { migratePostgres } from './migrate.ts';
import { createPartitions } from './partitions.ts';
import { joinDatabase, type Membership } from './replicas/membership.ts';
import type { ReplicaOffer } from './replicas/processes.ts';
import { createRateLeases } from './replicas/rate-leases.ts';
import { createPostgresRetention } from './retention.ts';
import { createPostgresRows } from './rows.ts';
import { openSharedDatasets } from './shared-datasets.ts';
import { measureDatabase } from './sizes.ts';

export interface PostgresStoreOptions extends Omit<PostgresOptions, 'isCutOff'> {
  /** Address without a connection pooler, for migrations; default: `url` */
  readonly directUrl?: string | undefined;
  /** Files of this process: a cache, and temporary ones. */
  readonly directory: string;
  /** Object store of the blobs, as in BLOB_URL; default: the database */
  readonly blobUrl?: string | null;
  /** For `blobUrl`. */
  readonly blobCredentials?: S3Credentials | null;
  /** Size of the cache of data sets; default: unlimited */
  readonly maxDatasetBytes?: number | undefined;
  readonly log?: StoreLog;
  /** Without it, this process is not among the replicas, and gets no notices of what others change. */
  readonly offer?: ReplicaOffer | undefined;
  /** Opens the queue that all processes share. */
  readonly openTickets?: (db: Kysely<Database>, send: SendStatements) => Promise<Tickets>;
}

/** @throws AtelierError `storage-unavailable`, `state-unusable`; `state-locked` if another process uses the directory */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const { url, directUrl = url, offer, log = { info() {}, warn() {} } } = options;
  const directory = resolve(options.directory);
  await prepareDirectory(directory);
  const lock = lockDirectory(directory);
  let db: Kysely<Database> | undefined;
  let membership: Membership | undefined;
  try {
    await migratePostgres(directUrl, (message, fields) => log.info(fields, message));
    const pool = await createStorePool({
      ...options,
      isCutOff: () => membership?.replicas.isCutOff() ?? false,
    });
    db = toDatabase(pool);
    if (directUrl !== url) await assertMigrated(db);
    const rows = createPostgresRows(db, await options.openTickets?.(db, sendStatements(pool)));
    await assertTransferred(rows.db);
    rememberTime(await newestTime(rows.db));
    await createPartitions(rows.db).catch((error) => {
      // The hourly task tries again. A backup, for example, locks the tables longer than a start can wait.
      if (!hasCode(error, 'storage-unavailable')) throw error;
      log.warn('tables are locked, so the partitions of the next weeks are created later');
    });
    if (offer) membership = await joinDatabase({ directUrl, rows, offer, log });
    const { blobs, objects } = await openBlobStore(rows.db, options);
    const referencedBlobs = createReferencedBlobs(blobs);
    const rateLeases = createRateLeases(rows.db);
    const cache = join(directory, 'cache', 'datasets');
    const maxCacheBytes = options.maxDatasetBytes ?? Number.POSITIVE_INFINITY;
    return createStore({
      rows,
      blobs: referencedBlobs,
      checkpointBlobs: referencedBlobs,
      predictionBlobs: referencedBlobs,
      datasets: await openSharedDatasets(rows, blobs, cache, maxCacheBytes),
      bootstrapKeys: createSharedBootstrapKey(rows.db),
      rateLeases,
      membership,
      hourlyTasks: [
        () => createPartitions(rows.db),
        rateLeases.removeExpired,
        (signal) => collectBlobs(rows, objects, { signal }),
      ],
      measureDatabase: () => measureDatabase(rows.db),
      openRetention: createPostgresRetention,
      temporaryFiles: await openTemporaryFiles(join(directory, 'temporary')),
      onClosed: lock.release,
    });
  } catch (error) {
    await membership?.leave();
    await db?.destroy();
    lock.release();
    throw error;
  }
}

/** @throws AtelierError `invalid-configuration` */
async function assertMigrated(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ exists: boolean }>`
    select to_regclass(${`${SCHEMA}.${MIGRATION_TABLE}`}) is not null as exists`.execute(db);
  if (rows[0]!.exists) return;
  throw new AtelierError(
    'invalid-configuration',
    'DATABASE_URL and DATABASE_DIRECT_URL name different databases. Both must lead to the same one.',
  );
}

/**
 * The client of object stores is loaded on demand.
 * @throws AtelierError `storage-unavailable` if the bucket cannot be used, for example because of wrong credentials
 */
async function openBlobStore(
  db: Kysely<Database>,
  { blobUrl, blobCredentials }: Pick<PostgresStoreOptions, 'blobUrl' | 'blobCredentials'>,
): Promise<{ blobs: BlobStore; objects?: Objects }> {
  if (!blobUrl || !blobCredentials) return { blobs: createChunkedBlobs(db) };
  const { createRegisteredBlobs } = await import('./blobs/registered.ts');
  const registered = createRegisteredBlobs(db, blobUrl, blobCredentials);
  await registered.objects.assertUsable();
  return registered;
}
