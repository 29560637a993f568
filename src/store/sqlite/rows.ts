/** Rows in the SQLite database of a state directory. */
import type { Kysely } from 'kysely';
import type { OnCommitted } from '../database/committed-events.ts';
import type { Rows } from '../database/rows.ts';
import type { Database } from '../database/tables.ts';
import { afterCommit, runTransaction } from '../database/transactions.ts';
import type { DatabaseFiles } from './database-files.ts';
import type { SpaceReserve } from './space-reserve.ts';

/** @param listeners called by the database after each commit that wrote events */
export function createSqliteRows(
  db: Kysely<Database>,
  listeners: Set<OnCommitted>,
  files: Pick<DatabaseFiles, 'assertInPlace'>,
  reserve: SpaceReserve,
): Rows {
  return {
    db,
    afterCommit,
    inTransaction: (work) => runTransaction(db, work),
    // Transactions run one after the other.
    async lockQueue() {},
    // SQLite merges the sorted queries of a compound one. A join would look up each id of the first in the others.
    intersect: (first, others) => others.reduce((ids, other) => ids.intersect(other), first),
    withReserve: reserve.withReserve,
    onCommitted: (listener) => void listeners.add(listener),
    async assertUsable() {
      files.assertInPlace();
      await db.selectFrom('jobs').select('id').limit(1).execute();
    },
    async close() {
      await db.destroy();
      await reserve.close();
    },
  };
}
