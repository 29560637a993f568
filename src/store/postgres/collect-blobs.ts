/** Garbage collection: removes blobs that no row refers to, and objects that no blob names. */
import { sql, type Transaction } from 'kysely';
import { parseHex } from '../blobs.ts';
import type { Objects } from '../s3/objects.ts';
import type { Database } from '../tables.ts';
import { withBlobTables } from './blob-tables.ts';
import { isBlobViolation } from './referenced-blobs.ts';

/** A blob is stored before the row that refers to it, so a younger one may get its reference yet. */
const MIN_AGE_MS = 3_600_000;
const BATCH = 500;
const ATTEMPTS = 5;
/** Objects that are removed in one transaction, all at the same time. */
const OBJECTS_BATCH = 16;
/** Shorter than the time after which the database ends a transaction that is idle. */
const OBJECTS_TIMEOUT_MS = 5_000;
/** Objects are listed by the first digit of their name, one digit per hour. */
const DIGITS = '0123456789abcdef';

export interface Collected {
  readonly blobs: number;
  readonly objects: number;
}

type InTransaction = <T>(work: (trx: Transaction<Database>) => Promise<T>) => Promise<T>;

/**
 * Call once an hour. Does nothing while another process collects.
 * @param objects the object store of the blobs, if they have one; of its objects without a row, a sixteenth is removed
 * @param digit the first digit of the objects that are compared with the rows; by default that of the hour
 * @throws AtelierError `storage-unavailable`
 */
export async function collectBlobs(
  rows: { readonly inTransaction: InTransaction },
  objects?: Pick<Objects, 'list' | 'remove'>,
  digit = DIGITS[Math.floor(Date.now() / MIN_AGE_MS) % DIGITS.length]!,
): Promise<Collected> {
  const collected = { blobs: 0, objects: 0 };
  for (;;) {
    const digests = await repeatAfterViolation(() => rows.inTransaction(deleteUnreferenced));
    collected.blobs += digests.length;
    if (objects) collected.objects += await removeObjects(rows, objects, digests);
    if (digests.length < BATCH) break;
  }
  if (!objects) return collected;
  const old: string[] = [];
  for await (const { name, ageMs } of objects.list(digit)) {
    if (ageMs > MIN_AGE_MS && /^[0-9a-f]{64}$/.test(name)) old.push(`sha256:${name}`);
  }
  for (let at = 0; at < old.length; at += BATCH) {
    const some = old.slice(at, at + BATCH);
    const known = await rows.inTransaction((trx) =>
      withBlobTables(trx).selectFrom('blobs').select('digest').where('digest', 'in', some).execute(),
    );
    const named = new Set(known.map(({ digest }) => digest));
    collected.objects += await removeObjects(
      rows,
      objects,
      some.filter((digest) => !named.has(digest)),
    );
  }
  return collected;
}

/**
 * One statement. It skips rows that another transaction has locked: `put` refreshes them, or a row that refers to them is
 * being written. After a `put` that it waited for, the database compares the new time.
 */
async function deleteUnreferenced(trx: Transaction<Database>): Promise<string[]> {
  const lock = await sql<{ free: boolean }>`
    select pg_try_advisory_xact_lock(hashtext('atelier blobs')) as free`.execute(trx);
  if (!lock.rows[0]!.free) return [];
  const db = withBlobTables(trx);
  const unreferenced = db
    .selectFrom('blobs')
    .select('digest')
    .where('created_at', '<', sql<Date>`now() - ${MIN_AGE_MS} * interval '1 ms'`)
    .where(({ not, exists, selectFrom, and }) =>
      and(
        (['model_versions', 'checkpoints', 'datasets'] as const).map((table) =>
          not(exists(selectFrom(table).whereRef(`${table}.digest`, '=', 'blobs.digest').select('digest'))),
        ),
      ),
    )
    .orderBy('digest')
    .limit(BATCH)
    .forUpdate()
    .skipLocked();
  const deleted = await db
    .deleteFrom('blobs')
    .where('digest', 'in', unreferenced)
    .returning('digest')
    .execute();
  return deleted.map(({ digest }) => digest);
}

/**
 * Removes the objects of blobs without a row, a few at a time. Their rows are inserted and deleted in one transaction, so
 * a concurrent `put` waits for its end, and then writes its object.
 * @returns the number of removed objects
 */
async function removeObjects(
  { inTransaction }: { readonly inTransaction: InTransaction },
  objects: Pick<Objects, 'remove'>,
  digests: readonly string[],
): Promise<number> {
  let removed = 0;
  for (let at = 0; at < digests.length; at += OBJECTS_BATCH) {
    const rows = digests.slice(at, at + OBJECTS_BATCH).map((digest) => ({ digest, bytes: 0, whole: false }));
    removed += await inTransaction(async (trx) => {
      const db = withBlobTables(trx);
      const free = await db
        .insertInto('blobs')
        .values(rows)
        .onConflict((conflict) => conflict.doNothing())
        .returning('digest')
        .execute();
      if (free.length === 0) return 0;
      const names = free.map(({ digest }) => digest);
      const signal = AbortSignal.timeout(OBJECTS_TIMEOUT_MS);
      await Promise.all(names.map((digest) => objects.remove(parseHex(digest), signal)));
      await db.deleteFrom('blobs').where('digest', 'in', names).execute();
      return names.length;
    });
  }
  return removed;
}

/** A reference was committed after the statement had compared its blob, and the database rejected the deletion. */
async function repeatAfterViolation<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || !isBlobViolation(error)) throw error;
    }
  }
}
