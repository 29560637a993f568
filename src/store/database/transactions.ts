/** Transactions whose events are delivered to listeners after the commit. */
import type { Kysely, Transaction } from 'kysely';
import { type CollectedEvents, collectEvents, type OnCommitted } from './committed-events.ts';
import type { Rows } from './rows.ts';
import type { Database } from './tables.ts';

/** @param beforeCommit called in each transaction that has written events */
export function createTransactions(
  db: Kysely<Database>,
  beforeCommit?: (trx: Transaction<Database>, events: CollectedEvents) => Promise<void>,
): Pick<Rows, 'inTransaction' | 'onCommitted'> {
  const listeners = new Set<OnCommitted>();
  return {
    async inTransaction(work) {
      const { result, events } = await db.transaction().execute(async (trx) => {
        const events = collectEvents(trx);
        const result = await work(trx);
        if (events.size > 0) await beforeCommit?.(trx, events);
        return { result, events };
      });
      for (const [id, written] of events) {
        for (const listener of listeners) listener(id, written);
      }
      return result;
    },
    onCommitted: (listener) => void listeners.add(listener),
  };
}
