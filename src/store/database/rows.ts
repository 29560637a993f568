/** Rows of the store, in SQLite or PostgreSQL. */
import type { Kysely, SelectQueryBuilder, Transaction } from 'kysely';
import type { OnCommitted } from './committed-events.ts';
import type { Database } from './tables.ts';

/** Runs a transaction. If the disk is full, releases the reserve and runs the transaction once more. Not reentrant. */
export type WithReserve = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Called in the transaction of a change, before the change, with what is stored. Throws to prevent the change.
 * Must be synchronous.
 */
export type Precondition<T> = (stored: T) => void;

/** A query of ids of jobs. */
export type JobIds = SelectQueryBuilder<Database, 'jobs' | 'job_labels', { id: string }>;

/** Number of the rows that a query selects. PostgreSQL returns counts as text. */
export async function countRows<Table extends keyof Database>(
  rows: SelectQueryBuilder<Database, Table, object>,
): Promise<number> {
  const { count } = await rows.select(({ fn }) => fn.countAll().as('count')).executeTakeFirstOrThrow();
  return Number(count);
}

export interface Rows {
  /** Each statement is a transaction of its own. Do not use it within `inTransaction`: it may wait for that connection. */
  readonly db: Kysely<Database>;
  /**
   * Runs `work` in a transaction, and again if the database rolls it back because of other transactions. Waits until the
   * commit is durable.
   */
  inTransaction<T>(work: (trx: Transaction<Database>) => Promise<T>): Promise<T>;
  /** Until the transaction ends, no other one that locks the queue creates or resumes jobs. */
  lockQueue(trx: Transaction<Database>): Promise<void>;
  /**
   * The ids that all queries find. In the order of the ids, with a limit, it reads each query's index once at most, up to the
   * last id that is needed.
   */
  intersect(first: JobIds, others: readonly JobIds[]): JobIds;
  /** Like `inTransaction`, for what frees space or stops work: it also succeeds on a full disk. */
  inReservedTransaction<T>(work: (trx: Transaction<Database>) => Promise<T>): Promise<T>;
  readonly withReserve: WithReserve;
  /** Calls the listener after each durable commit that wrote events, in the asynchronous context of `inTransaction`. */
  onCommitted(listener: OnCommitted): void;
  /** @throws AtelierError `state-unusable`, `storage-unavailable` if the database cannot be read */
  assertUsable(): Promise<void>;
  /** Waits for pending statements and closes the database. */
  close(): Promise<void>;
}
