/** The store of several processes: a PostgreSQL database, and files in a directory. */
import { join, resolve } from 'node:path';
import type { Kysely } from 'kysely';
import { openDatasets } from '../datasets.ts';
import { prepareDirectory } from '../directory.ts';
import { createStore, type Store, type StoreLog } from '../store.ts';
import type { Database } from '../tables.ts';
import { openTemporaryFiles } from '../temporary-files.ts';
import type { Tickets } from '../tickets.ts';
import { assertTransferred } from '../transfer/transfer-state.ts';
import { createChunkedBlobs } from './chunked-blobs.ts';
import { connectPostgres, type PostgresOptions } from './connect.ts';
import { joinDatabase, type Membership } from './membership.ts';
import { migratePostgres } from './migrate.ts';
import { createPartitions } from './partitions.ts';
import { createRateLeases } from './rate-leases.ts';
import { createReferencedBlobs } from './referenced-blobs.ts';
import type { ReplicaOffer } from './replicas.ts';
import { createPostgresRetention } from './retention.ts';
import { createPostgresRows } from './rows.ts';

export interface PostgresStoreOptions extends PostgresOptions {
  /** Address without a connection pooler, for migrations; default: `url` */
  readonly directUrl?: string | undefined;
  /** Files of this process. */
  readonly directory: string;
  readonly log?: StoreLog;
  /** Without it, this process is not among the replicas, and gets no notices of what others change. */
  readonly offer?: ReplicaOffer | undefined;
  /** Opens the queue that all processes share. */
  readonly openTickets?: (db: Kysely<Database>) => Promise<Tickets>;
}

/** @throws AtelierError `storage-unavailable`, `state-unusable` */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const { url, directUrl = url, offer, log = { info() {}, warn() {} } } = options;
  const directory = resolve(options.directory);
  await prepareDirectory(directory);
  await migratePostgres(directUrl, (message, fields) => log.info(fields, message));
  const db = await connectPostgres(options);
  let membership: Membership | undefined;
  try {
    const rows = createPostgresRows(db, await options.openTickets?.(db));
    await assertTransferred(rows.db);
    await createPartitions(rows.db);
    if (offer) membership = await joinDatabase({ directUrl, rows, offer, log });
    const blobs = createChunkedBlobs(rows.db);
    const rateLeases = createRateLeases(rows.db);
    return createStore({
      rows,
      blobs: createReferencedBlobs(blobs),
      checkpointBlobs: blobs,
      datasets: await openDatasets(rows, join(directory, 'datasets')),
      rateLeases,
      membership,
      hourlyTasks: [() => createPartitions(rows.db), rateLeases.removeExpired],
      openRetention: createPostgresRetention,
      temporaryFiles: await openTemporaryFiles(join(directory, 'temporary')),
    });
  } catch (error) {
    await membership?.leave();
    await db.destroy();
    throw error;
  }
}
