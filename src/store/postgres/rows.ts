/** Rows in PostgreSQL. */
import { setTimeout as wait } from 'node:timers/promises';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { CollectedEvents } from '../database/committed-events.ts';
import type { JobIds, Rows } from '../database/rows.ts';
import type { Database } from '../database/tables.ts';
import { createTransactions } from '../database/transactions.ts';
import { RANK } from '../runs/queue-order.ts';
import type { Tickets } from '../runs/tickets.ts';
import { isRepeatable, storageUnavailable } from './errors.ts';

const MAX_ATTEMPTS = 5;
/** Times the number of the attempt, and a random fraction, so that two transactions do not meet again. */
const PAUSE_MS = 20;

/** @param tickets follow the status of the jobs */
export function createPostgresRows(db: Kysely<Database>, tickets?: Tickets): Rows {
  const { inTransaction: runOnce, onCommitted } = createTransactions(
    db,
    tickets && ((trx, events) => followStatuses(trx, tickets, events)),
  );
  const inTransaction: Rows['inTransaction'] = (work) => repeat(() => runOnce(work));
  return {
    db,
    inTransaction,
    // The disk is the server's; nothing of this process could be released on it.
    inReservedTransaction: inTransaction,
    onCommitted,
    async lockQueue(trx) {
      await sql`select pg_advisory_xact_lock(hashtext('atelier queue'))`.execute(trx);
    },
    // PostgreSQL chooses between merging and looking up by its statistics. It would read all rows of an INTERSECT.
    intersect: (first, others) =>
      others.reduce(
        (ids, other) =>
          ids.where(({ exists, selectFrom }) =>
            exists(selectFrom(other.as('other')).select('other.id').whereRef('other.id', '=', 'first.id')),
          ),
        db.selectFrom(first.as('first')).select('first.id'),
      ) as unknown as JobIds,
    withReserve: (work) => work(),
    async assertUsable() {
      await sql`select 1`.execute(db);
    },
    close: () => db.destroy(),
  };
}

/** Driven by the events, so no writer can forget the ticket. */
async function followStatuses(
  trx: Transaction<Database>,
  tickets: Tickets,
  written: CollectedEvents,
): Promise<void> {
  const changed = [...written].filter(([, events]) =>
    events.some(({ type }) => type === 'status' || type === 'priority'),
  );
  if (changed.length === 0) return;
  const ids = changed.map(([id]) => id);
  const jobs = trx
    .selectFrom('jobs')
    .select(['id', 'status', RANK.as('rank')])
    .where('id', 'in', ids);
  for (const job of await jobs.execute()) await tickets.follow(trx, job);
}

/** @throws AtelierError `storage-unavailable` if every attempt was rolled back because of other transactions */
async function repeat<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isRepeatable(error)) throw error;
      if (attempt === MAX_ATTEMPTS) throw storageUnavailable(error);
      await wait(attempt * PAUSE_MS * Math.random());
    }
  }
}
