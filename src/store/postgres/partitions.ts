/** Weekly partitions of the events and metrics: a job's id begins with its time, so a partition holds a week of jobs. */
import { type Kysely, sql } from 'kysely';
import { encodeTime } from 'ulid';
import { SCHEMA } from './connect.ts';

const PARTITIONED = ['events', 'metrics'] as const;
export const WEEK_MS = 7 * 24 * 60 * 60 * 1000;
const WEEKS_AHEAD = 4;
/** SQLSTATE check violation: the default partition holds rows of that week. */
const HAS_ROWS = '23514';
/** Others wait behind a waiting lock, so it gives up soon. */
const LOCK_TIMEOUT_MS = 2_000;

/**
 * Creates the partitions of this week and of the next four, if they are missing. Call it at the start and every few days;
 * rows of a week without a partition go to the default partition, and stay there.
 * @throws AtelierError `storage-unavailable` if a lock was not granted
 */
export async function createPartitions<T>(db: Kysely<T>, now = new Date()): Promise<void> {
  for (const partition of await missingPartitions(db, now)) {
    try {
      await db.transaction().execute(async (trx) => {
        await sql`set local lock_timeout = ${sql.lit(LOCK_TIMEOUT_MS)}`.execute(trx);
        await lockPartitions(trx);
        const missing = await missingPartitions(trx, now);
        if (missing.some(({ name }) => name === partition.name)) await create(trx, partition);
      });
    } catch (error) {
      if ((error as { code?: unknown }).code !== HAS_ROWS) throw error;
    }
  }
}

/** The same in a transaction of the caller. */
export async function createFirstPartitions<T>(trx: Kysely<T>, now = new Date()): Promise<void> {
  for (const partition of await missingPartitions(trx, now)) await create(trx, partition);
}

interface Partition {
  readonly table: (typeof PARTITIONED)[number];
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

async function missingPartitions<T>(db: Kysely<T>, now: Date): Promise<Partition[]> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class where relnamespace = ${SCHEMA}::regnamespace and relispartition`.execute(
    db,
  );
  const existing = new Set(rows.map(({ name }) => name));
  const first = Math.floor(now.getTime() / WEEK_MS);
  const weeks = Array.from({ length: WEEKS_AHEAD + 1 }, (_, index) => (first + index) * WEEK_MS);
  return weeks
    .flatMap((start) => PARTITIONED.map((table) => toPartition(table, start)))
    .filter(({ name }) => !existing.has(name));
}

/** Names a partition by the first day of its week, such as `events_20261126`. */
function toPartition(table: Partition['table'], start: number): Partition {
  const day = new Date(start).toISOString().slice(0, 10).replaceAll('-', '');
  return { table, name: `${table}_${day}`, from: firstId(start), to: firstId(start + WEEK_MS) };
}

/** The time before which all jobs of a partition were created; undefined for another table, or the default partition. */
export function endOfPartition(name: string): number | undefined {
  const [, year, month, day] = /^[a-z]+_(\d{4})(\d\d)(\d\d)$/.exec(name) ?? [];
  return year === undefined ? undefined : Date.parse(`${year}-${month}-${day}T00:00:00Z`) + WEEK_MS;
}

/** All ids of jobs created at this time or later are larger. */
const firstId = (ms: number) => `job_${encodeTime(ms)}`;

/** Call before creating or dropping a partition. */
export function lockPartitions<T>(trx: Kysely<T>) {
  return sql`select pg_advisory_xact_lock(hashtext('atelier partitions'))`.execute(trx);
}

/** Attaches the partition after creating it, so that no reader or writer of the table is locked out. */
async function create<T>(trx: Kysely<T>, { table, name, from, to }: Partition): Promise<void> {
  const parent = sql.id(SCHEMA, table);
  const partition = sql.id(SCHEMA, name);
  await sql`create table ${partition} (like ${parent} including defaults including constraints including indexes)`.execute(
    trx,
  );
  await sql`alter table ${parent} attach partition ${partition} for values from (${sql.lit(from)}) to (${sql.lit(to)})`.execute(
    trx,
  );
}
