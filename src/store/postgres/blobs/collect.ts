/** Garbage collection: removes blobs that no row refers to, and objects that no blob names. */
import { sql, type Transaction } from 'kysely';
import { parseHex } from '../../blobs/content-addressed.ts';
import { REFERENCES } from '../../blobs/references.ts';
import type { Rows } from '../../database/rows.ts';
import type { Database } from '../../database/tables.ts';
import type { Objects } from '../../s3/objects.ts';
import { claimBucket } from './bucket-owner.ts';
import { repeatAfterViolation } from './referenced.ts';
import { withBlobTables } from './tables.ts';

/** A blob is stored before the row that refers to it, so a younger one may get its reference yet. */
const MIN_AGE_MS = 3_600_000;
/** Bounds of one statement: the database ends one that takes 30 s. */
const PAGE_ROWS = 5_000;
const PAGE_BYTES = 2 ** 29;
/** Objects that are removed in one transaction, all at the same time. */
const OBJECTS_BATCH = 16;
/** Shorter than the time after which the database ends a transaction that is idle. */
const OBJECTS_TIMEOUT_MS = 5_000;
/** First digits of the names of objects. One digit is listed per hour. */
const DIGITS = '0123456789abcdef';

export interface Collected {
  readonly blobs: number;
  readonly objects: number;
}

/**
 * Call once an hour. Does nothing while another process collects.
 * @param objects the object store of the blobs, if they have one; of its objects without a row, a sixteenth is removed
 * @param options.digit the first digit of the objects that are compared with the rows; by default the hour's digit
 * @param options.signal ends the collection after the current batch; the next collections remove the rest
 * @throws AtelierError `state-unusable` if another database owns the objects, `storage-unavailable`
 */
export async function collectBlobs(
  rows: Pick<Rows, 'db' | 'inTransaction'>,
  objects?: Objects,
  { digit = digitOfHour(), signal }: { digit?: string; signal?: AbortSignal } = {},
): Promise<Collected> {
  if (objects) await claimBucket(rows.db, objects);
  const collected = { blobs: 0, objects: 0 };
  for (let after = ''; !signal?.aborted; ) {
    // A reference may be committed after the statement has compared its blob; the database then rejects the deletion.
    const page = await repeatAfterViolation(() => rows.inTransaction((trx) => collectPage(trx, after)));
    if (page === undefined) break;
    collected.blobs += page.digests.length;
    if (objects) collected.objects += await removeObjects(rows, objects, page.digests, signal);
    after = page.last;
  }
  if (!objects || signal?.aborted) return collected;
  const old: string[] = [];
  for await (const { name, ageMs } of objects.list(digit)) {
    if (signal?.aborted) return collected;
    if (ageMs > MIN_AGE_MS && /^[0-9a-f]{64}$/.test(name)) old.push(`sha256:${name}`);
  }
  for (let at = 0; at < old.length && !signal?.aborted; at += PAGE_ROWS) {
    const some = old.slice(at, at + PAGE_ROWS);
    const known = await rows.inTransaction((trx) =>
      withBlobTables(trx).selectFrom('blobs').select('digest').where('digest', 'in', some).execute(),
    );
    const named = new Set(known.map(({ digest }) => digest));
    collected.objects += await removeObjects(
      rows,
      objects,
      some.filter((digest) => !named.has(digest)),
      signal,
    );
  }
  return collected;
}

function digitOfHour(): string {
  return DIGITS[Math.floor(Date.now() / MIN_AGE_MS) % DIGITS.length]!;
}

/**
 * Deletes unreferenced blobs among the next ones in the order of their digests.
 * @returns undefined at the end, or if another process collects
 */
async function collectPage(
  trx: Transaction<Database>,
  after: string,
): Promise<{ last: string; digests: string[] } | undefined> {
  const lock = await sql<{ free: boolean }>`
    select pg_try_advisory_xact_lock(hashtext('atelier blobs')) as free`.execute(trx);
  if (!lock.rows[0]!.free) return undefined;
  const db = withBlobTables(trx);
  const { last } = await db
    .selectFrom((eb) =>
      eb
        .selectFrom((next) =>
          next
            .selectFrom('blobs')
            .select(['digest', 'bytes'])
            .where('digest', '>', after)
            .orderBy('digest')
            .limit(PAGE_ROWS)
            .as('next'),
        )
        .select('digest')
        .select(sql<number>`sum(bytes) over (order by digest) - bytes`.as('before'))
        .as('page'),
    )
    .where('before', '<', PAGE_BYTES)
    .select(({ fn }) => fn.max('digest').as('last'))
    .$castTo<{ last: string | null }>()
    .executeTakeFirstOrThrow();
  if (last === null) return undefined;
  return { last, digests: await deleteUnreferenced(trx, after, last) };
}

/**
 * One statement. It skips rows that another transaction has locked: `put` refreshes them, or a row that refers to them is
 * being written. A row that has changed since the statement began is compared again.
 */
async function deleteUnreferenced(
  trx: Transaction<Database>,
  after: string,
  last: string,
): Promise<string[]> {
  const db = withBlobTables(trx);
  const unreferenced = db
    .selectFrom('blobs')
    .select('digest')
    .where('digest', '>', after)
    .where('digest', '<=', last)
    .where('created_at', '<', sql<Date>`now() - ${MIN_AGE_MS} * interval '1 ms'`)
    .where(({ and, exists, not, selectFrom }) =>
      and(
        REFERENCES.map(({ table, column }) =>
          not(
            exists(
              selectFrom(table)
                .whereRef(sql.ref(`${table}.${column}`), '=', 'blobs.digest')
                .select('digest'),
            ),
          ),
        ),
      ),
    )
    .orderBy('digest')
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
  { inTransaction }: Pick<Rows, 'inTransaction'>,
  objects: Pick<Objects, 'remove'>,
  digests: readonly string[],
  signal?: AbortSignal,
): Promise<number> {
  let removed = 0;
  for (let at = 0; at < digests.length && !signal?.aborted; at += OBJECTS_BATCH) {
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
      const inTime = AbortSignal.timeout(OBJECTS_TIMEOUT_MS);
      await Promise.all(names.map((digest) => objects.remove(parseHex(digest), inTime)));
      await db.deleteFrom('blobs').where('digest', 'in', names).execute();
      return names.length;
    });
  }
  return removed;
}
