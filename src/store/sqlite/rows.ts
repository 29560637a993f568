/** Rows in the SQLite database of a state directory. */
import type { Kysely } from 'kysely';
import type { Rows } from '../database/rows.ts';
import type { Database } from '../database/tables.ts';
import { createTransactions } from '../database/transactions.ts';
import type { DatabaseFiles } from './database-files.ts';
import type { SpaceReserve } from './space-reserve.ts';

export function createSqliteRows(
  db: Kysely<Database>,
  files: Pick<DatabaseFiles, 'assertInPlace'>,
  reserve: SpaceReserve,
): Rows {
  const transactions = createTransactions(db);
  return {
    db,
    ...transactions,
    inReservedTransaction: (work) => reserve.withReserve(() => transactions.inTransaction(work)),
    // Transactions run one after the other.
    async lockQueue() {},
    // SQLite merges the sorted queries of a compound one. A join would look up each id of the first in the others.
    intersect: (first, others) => others.reduce((ids, other) => ids.intersect(other), first),
    withReserve: reserve.withReserve,
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
