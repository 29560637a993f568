/** Rate-limit leases: replicas lease calls of a key from one row, so all of them together never exceed the limit. */
import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import type { PostgresTables } from '../tables.ts';

interface Lease {
  /** Calls that the replica may serve until the window ends; 0 if all calls of the window are leased. */
  readonly calls: number;
  /** Calls that all replicas have leased in this window, including these. */
  readonly used: number;
  /** Time until the window ends, by the clock of the database. */
  readonly remainingMs: number;
}

export type RateLeases = ReturnType<typeof createRateLeases>;

const WINDOW = sql`interval '1 minute'`;
/** The statement's time is the same wherever it appears in it. */
const isOver = sql<boolean>`limits.window_start <= now() - ${WINDOW}`;
const usedBefore = sql<number>`case when ${isOver} then 0 else limits.used end`;

export function createRateLeases(database: Kysely<Database>) {
  const db = database.withTables<Pick<PostgresTables, 'limits'>>();
  return {
    /**
     * Leases half of the calls that are left, divided by the number of replicas, but at least one and at most `wanted`. The
     * window of a key begins with its first lease and takes a minute.
     * @throws AtelierError `storage-unavailable`
     */
    async lease(key: string, limit: number, replicas: number, wanted: number): Promise<Lease> {
      const parts = 2 * replicas;
      const first = Math.max(1, Math.min(wanted, Math.floor(limit / parts)));
      const left = sql<number>`greatest(0, ${limit}::int - (${usedBefore}))`;
      const calls = sql<number>`least(${left}, ${wanted}::int, greatest(1, ${left} / ${parts}::int))`;
      const { leased, ...row } = await db
        .insertInto('limits')
        .values({ key, window_start: sql`now()`, used: first, leased: first })
        .onConflict((conflict) =>
          conflict.column('key').doUpdateSet({
            window_start: sql`case when ${isOver} then now() else limits.window_start end`,
            used: sql`${usedBefore} + ${calls}`,
            leased: calls,
          }),
        )
        .returning([
          'leased',
          'used',
          sql<number>`extract(epoch from window_start + ${WINDOW} - clock_timestamp())::float8 * 1000`.as(
            'remainingMs',
          ),
        ])
        .executeTakeFirstOrThrow();
      return { ...row, calls: leased };
    },

    /** Removes the rows of windows that have ended. */
    async removeExpired() {
      await db.deleteFrom('limits').where('window_start', '<=', sql<string>`now() - ${WINDOW}`).execute();
    },
  };
}
