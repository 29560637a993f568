/** pg-boss on the connections of the store. The library is loaded on demand. */
import type { Kysely } from 'kysely';
import type { Db, QueueOptions } from 'pg-boss';
import type { Database } from '../store/database/tables.ts';
import type { SendStatements } from '../store/postgres/connect.ts';
import { toStorageError } from '../store/postgres/errors.ts';

export const BOSS_SCHEMA = 'atelier_boss';
/** Name of the queue of training jobs. */
export const TRAINING = 'training';

const DAY_SECONDS = 86_400;
/** A claim of a dead process ends at most this time after the heartbeat that is missing. */
const SUPERVISE_SECONDS = 5;

const QUEUE: QueueOptions = {
  // A ticket is claimed for the milliseconds until its job has started, so these only end claims of dead processes.
  heartbeatSeconds: 10,
  expireInSeconds: 60,
  // The attempts of a job are counted in its row.
  retryLimit: 1_000_000,
  retryDelay: 0,
  // Waiting tickets are deleted after this time; the default is 14 days.
  retentionSeconds: 365 * DAY_SECONDS,
  // Withdrawn tickets keep the place of their jobs, however long these run or pause. The store deletes them.
  deleteAfterSeconds: 0,
};

export type Boss = Awaited<ReturnType<typeof startBoss>>;

/**
 * Creates or updates the schema of pg-boss and the queue. Several processes may call it at once: pg-boss takes a lock.
 * @param url a direct connection
 * @throws AtelierError `storage-unavailable`, `state-unusable`
 */
export async function migrateBoss(url: string): Promise<void> {
  const { PgBoss } = await import('pg-boss');
  const boss = new PgBoss({
    connectionString: url,
    application_name: 'atelier migration',
    max: 1,
    schema: BOSS_SCHEMA,
    supervise: false,
    schedule: false,
    registerInstance: false,
  });
  // An error event without a listener would end the process. Calls report the same errors as rejections.
  boss.on('error', () => {});
  try {
    await boss.start();
    await boss.createQueue(TRAINING, QUEUE);
    // An existing queue keeps its options otherwise.
    await boss.updateQueue(TRAINING, QUEUE);
  } catch (error) {
    throw toStorageError(error);
  } finally {
    await boss.stop();
  }
}

/**
 * @param options.send for a process that maintains the tables of pg-boss, as workers do
 * @param options.onError called with errors of background work; pg-boss repeats the work
 * @throws AtelierError `storage-unavailable`; Error if the schema is missing or of another release
 */
export async function startBoss({
  db,
  send,
  onError,
}: {
  db: Kysely<Database>;
  send?: SendStatements | undefined;
  onError: (error: Error) => void;
}) {
  const { fromKysely, PgBoss } = await import('pg-boss');
  const queue = new PgBoss({
    // Maintenance sends several statements at once and expects the rows of all. Kysely does not return these.
    db: send ? { executeSql: send } : fromKysely(db),
    schema: BOSS_SCHEMA,
    migrate: false,
    createSchema: false,
    supervise: send !== undefined,
    superviseIntervalSeconds: SUPERVISE_SECONDS,
    monitorIntervalSeconds: SUPERVISE_SECONDS,
    // The service uses no flows, so their resolver need not run often.
    flowIntervalSeconds: 3600,
    schedule: false,
    // The table of replicas serves this purpose.
    registerInstance: false,
  });
  queue.on('error', onError);
  const close = () => queue.stop({ graceful: false });
  try {
    await queue.start();
  } catch (error) {
    // Some of its timers may run already.
    await close();
    throw error;
  }
  /** The connection of a transaction, in the form that the methods of `queue` take as their option `db`. */
  const within = (trx: Pick<Kysely<Database>, 'executeQuery'>): Db => fromKysely(trx);
  return { db, queue, within, close };
}
