/** Transactions with callbacks after their commit. */
import type { Kysely, Transaction } from 'kysely';
import type { Database } from './tables.ts';

const callbacks = new WeakMap<Transaction<Database>, (() => void)[]>();

/** Runs `work` in a transaction, then calls back in the order of `afterCommit`. */
export async function runTransaction<T>(
  db: Kysely<Database>,
  work: (trx: Transaction<Database>) => Promise<T>,
): Promise<T> {
  const waiting: (() => void)[] = [];
  const result = await db.transaction().execute((trx) => {
    callbacks.set(trx, waiting);
    return work(trx);
  });
  for (const callback of waiting) callback();
  return result;
}

/** @param callback must not throw; not called if the transaction is rolled back */
export function afterCommit(trx: Transaction<Database>, callback: () => void): void {
  const waiting = callbacks.get(trx);
  if (waiting === undefined) throw new Error('The transaction was not begun by runTransaction.');
  waiting.push(callback);
}
