/**
 * Entry of `npm run migrate-state`: moves a whole state from STATE_DIR to a database that replicas share, or back. Neither
 * may be in use. It can be killed at any moment and repeated.
 */
import type { Kysely } from 'kysely';
import { type DatabaseConfig, readConfigWithDatabase } from '../config/read.ts';
import { AtelierError } from '../errors.ts';
import { migrateBoss, startBoss } from '../queue/pg-boss.ts';
import { createTickets } from '../queue/tickets.ts';
import type { Database } from '../store/database/tables.ts';
import { createChunkedBlobs } from '../store/postgres/blobs/chunked.ts';
import { createRegisteredBlobs } from '../store/postgres/blobs/registered.ts';
import { connectPostgres } from '../store/postgres/connect.ts';
import { migratePostgres } from '../store/postgres/migrate.ts';
import { selectQueued } from '../store/runs/queue-order.ts';
import { transferState } from '../store/transfer/run.ts';
import { openSharedState } from '../store/transfer/shared-state.ts';
import type { TransferSide } from '../store/transfer/side.ts';
import { openStateDirectory } from '../store/transfer/state-directory.ts';
import { transferredColumns } from '../store/transfer/tables.ts';
import { fail, readMoveArguments } from './command-line.ts';

async function openDatabase({
  url,
  directUrl,
  blobUrl,
  blobCredentials,
}: DatabaseConfig): Promise<TransferSide> {
  await migratePostgres(directUrl);
  await migrateBoss(directUrl);
  const db = await connectPostgres({ url, poolSize: 2 });
  const bucket = blobUrl === null ? null : createRegisteredBlobs(db, blobUrl, blobCredentials!);
  return openSharedState(db, {
    blobs: bucket?.blobs ?? createChunkedBlobs(db),
    isBucket: bucket !== null,
  });
}

/** Issues a ticket for each queued job, in the order of the queue. A job that already has one keeps it. */
async function issueTickets(db: Kysely<Database>): Promise<void> {
  const boss = await startBoss({ db, onError: () => {} });
  try {
    const { follow } = createTickets(boss);
    const queued = await selectQueued(db).select('status').execute();
    for (const job of queued) await db.transaction().execute((trx) => follow(trx, job));
  } finally {
    await boss.close();
  }
}

async function run(): Promise<void> {
  const { folder, url } = readMoveArguments();
  const toDatabase = folder === undefined;
  const { database, stateDir } = readConfigWithDatabase(url);
  const directory = await openStateDirectory(folder ?? stateDir, toDatabase);
  try {
    const shared = await openDatabase(database!);
    try {
      if (toDatabase) await directory.recoverJobs();
      const [source, target] = toDatabase ? [directory, shared] : [shared, directory];
      const isNew = await transferState({
        source,
        target,
        columns: await transferredColumns(directory.db),
        temporary: directory.temporary,
        complete: () => (toDatabase ? issueTickets(shared.db) : Promise.resolve()),
        report: (message) => console.log(message),
      });
      console.log(
        isNew
          ? 'Source and target are equal. The source is unchanged; keep it until you trust the target.'
          : 'This state has been moved before. Nothing was changed.',
      );
    } finally {
      await shared.close();
    }
  } finally {
    await directory.close();
  }
}

// Files in the state directory are readable by this user only.
process.umask(0o077);
try {
  await run();
} catch (error) {
  fail(error instanceof AtelierError ? error.message : String(error));
}
