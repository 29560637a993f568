import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Kysely, sql } from 'kysely';
import { parseHex } from '../../../../src/store/blobs/content-addressed.ts';
import type { Database } from '../../../../src/store/database/tables.ts';
import { createChunkedBlobs } from '../../../../src/store/postgres/blobs/chunked.ts';
import { collectBlobs } from '../../../../src/store/postgres/blobs/collect.ts';
import { createReferencedBlobs } from '../../../../src/store/postgres/blobs/referenced.ts';
import { createRegisteredBlobs } from '../../../../src/store/postgres/blobs/registered.ts';
import { withBlobTables } from '../../../../src/store/postgres/blobs/tables.ts';
import { createPostgresRows } from '../../../../src/store/postgres/rows.ts';
import { withoutPostgres } from '../../../support/servers/postgres.ts';
import { CREDENTIALS, type S3Server, startS3 } from '../../../support/servers/s3-server.ts';
import { failure, newDataset } from '../../fixtures.ts';
import { blobDatabase } from '../blob-database.ts';

const skip = withoutPostgres;
/** Writes a row that refers to the blob. */
async function refer(db: Kysely<Database>, digest: string, id = `dst_${digest}`): Promise<void> {
  const { name, report, imageShape, classNames, splits } = newDataset(id);
  const row = {
    id,
    name,
    created_at: 'now',
    image_shape: JSON.stringify(imageShape),
    class_names: JSON.stringify(classNames),
    splits: JSON.stringify(splits),
  };
  await db
    .insertInto('datasets')
    .values({ ...row, digest, report: JSON.stringify(report) })
    .execute();
}

/** Makes all blobs two hours older. */
const age = (db: Kysely<Database>) =>
  sql`update atelier.blobs set created_at = created_at - interval '2 hours'`.execute(db);

async function digests(db: Kysely<Database>): Promise<string[]> {
  const rows = await withBlobTables(db).selectFrom('blobs').select('digest').orderBy('digest').execute();
  return rows.map(({ digest }) => digest);
}

async function fixture(t: TestContext) {
  const { db, connect } = await blobDatabase(t);
  const blobs = createChunkedBlobs(db);
  return { db, blobs, connect, other: await connect(), collect: () => collectBlobs(createPostgresRows(db)) };
}

const HOUR_MS = 3_600_000;
const OWNER = 'atelier/blobs/owner';
const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

async function objectStore(t: TestContext, db: Kysely<Database>, known?: S3Server) {
  const server = known ?? (await startS3());
  if (!known) t.after(() => server.close());
  const { objects, blobs } = createRegisteredBlobs(db, server.url, CREDENTIALS);
  return { server, objects, blobs };
}

/** Waits until another session is waiting for a lock. */
async function untilBlocked(db: Kysely<Database>): Promise<void> {
  for (;;) {
    const { rows } = await sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
      db,
    );
    if (rows.length > 0) return;
  }
}

test('collects blobs without a reference that are older than an hour', { skip }, async (t) => {
  const { db, blobs, collect } = await fixture(t);
  const referred = await blobs.put(Buffer.from('referred'));
  await refer(db, referred);
  const old = await blobs.put(Buffer.from('old'));
  const refreshed = await blobs.put(Buffer.from('refreshed'));
  assert.deepEqual(await collect(), { blobs: 0, objects: 0 });
  await age(db);
  await blobs.put(Buffer.from('refreshed'));
  const young = await blobs.put(Buffer.from('young'));
  assert.deepEqual(await collect(), { blobs: 1, objects: 0 });
  assert.deepEqual(await digests(db), [referred, refreshed, young].toSorted());
  await assert.rejects(blobs.get(old), failure('state-unusable', 'missing'));
  const chunks = await withBlobTables(db).selectFrom('blob_chunks').select('digest').execute();
  assert.equal(chunks.length, 3);
  await db.deleteFrom('datasets').execute();
  assert.deepEqual(await collect(), { blobs: 1, objects: 0 });
});

test('one statement deletes at most 5,000 blobs and 512 MiB', { skip }, async (t) => {
  const { db, collect } = await fixture(t);
  await sql`insert into atelier.blobs (digest, bytes, whole, created_at)
    select 'sha256:' || n, case when n > 15000 then 2 ^ 28 else 0 end, true, now() - interval '2 hours'
    from generate_series(10001, 15005) n`.execute(db);
  await sql`create table deletions (blobs int)`.execute(db);
  await sql`create function count_deleted() returns trigger language plpgsql as
    'begin insert into public.deletions select count(*) from deleted; return null; end'`.execute(db);
  await sql`create trigger count_deleted after delete on atelier.blobs referencing old table as deleted
    for each statement execute function count_deleted()`.execute(db);
  assert.deepEqual(await collect(), { blobs: 5005, objects: 0 });
  const { rows } = await sql<{ blobs: number }>`select blobs from deletions`.execute(db);
  assert.deepEqual(
    rows.map(({ blobs }) => blobs),
    [5000, 2, 2, 1],
  );
});

test('skips a blob while a reference to it is being written', { skip }, async (t) => {
  const { db, blobs, other, collect } = await fixture(t);
  const digest = await blobs.put(Buffer.from('x'));
  await age(db);
  await other.transaction().execute(async (trx) => {
    await refer(trx, digest);
    assert.deepEqual(await collect(), { blobs: 0, objects: 0 });
  });
  assert.deepEqual(await collect(), { blobs: 0, objects: 0 });
  assert.equal((await blobs.get(digest)).length, 1);
});

test('skips a blob while it is being stored again', { skip }, async (t) => {
  const { db, blobs, other, collect } = await fixture(t);
  const digest = await blobs.put(Buffer.from('x'));
  await age(db);
  await other.transaction().execute(async (trx) => {
    await createChunkedBlobs(trx).put(Buffer.from('x'));
    assert.deepEqual(await collect(), { blobs: 0, objects: 0 });
  });
  assert.deepEqual(await collect(), { blobs: 0, objects: 0 });
  assert.equal((await blobs.get(digest)).length, 1);
});

test('a blob that is collected before its reference is written is stored again', { skip }, async (t) => {
  const { db, blobs, other, collect } = await fixture(t);
  const shared = createReferencedBlobs(createChunkedBlobs(other));
  let calls = 0;
  const digest = await shared.putReferenced(Buffer.from('x'), async (stored) => {
    calls++;
    if (calls === 1) {
      await age(db);
      assert.deepEqual(await collect(), { blobs: 1, objects: 0 });
    }
    await refer(other, stored);
    return stored;
  });
  assert.equal(calls, 2);
  await age(db);
  await collect();
  assert.equal((await blobs.get(digest)).length, 1);
  await assert.rejects(
    shared.putReferenced(Buffer.from('y'), async () => refer(other, 'sha256:another')),
    /datasets_blob/,
  );
});

test('a reference that is waiting for the deletion of its blob is written after a new one', {
  skip,
}, async (t) => {
  const { db, blobs, other, connect } = await fixture(t);
  const digest = await blobs.put(Buffer.from('x'));
  await age(db);
  const observer = await connect();
  await sql`create function atelier.pause() returns trigger language plpgsql as
    'begin perform pg_advisory_xact_lock(7); return old; end'`.execute(db);
  await sql`create trigger pause before delete on atelier.blobs for each row execute function atelier.pause()`.execute(
    db,
  );
  const [collected, stored] = await observer.connection().execute(async (barrier) => {
    await sql`select pg_advisory_lock(7)`.execute(barrier);
    // The deletion has locked the blob and is waiting, and the reference is waiting for the deletion.
    const collecting = collectBlobs(createPostgresRows(db));
    await untilBlocked(barrier);
    let isFirst = true;
    const storing = createReferencedBlobs({
      ...createChunkedBlobs(other),
      // The blob was stored long ago: only the foreign key protects it.
      put: async (bytes) => {
        if (!isFirst) return createChunkedBlobs(other).put(bytes);
        isFirst = false;
        return digest;
      },
    }).putReferenced(Buffer.from('x'), async (put) => {
      await refer(other, put);
      return put;
    });
    await sql`select pg_advisory_unlock(7)`.execute(barrier);
    return Promise.all([collecting, storing]);
  });
  assert.deepEqual([collected, stored], [{ blobs: 1, objects: 0 }, digest]);
  assert.equal((await blobs.get(digest)).length, 1);
});

test('a reference that is committed after the comparison is found by the deletion', { skip }, async (t) => {
  const { db, blobs, connect, collect } = await fixture(t);
  const kept = await blobs.put(Buffer.from('kept'));
  await blobs.put(Buffer.from('removed'));
  await age(db);
  // The comparison with data sets is waiting after the statement has its snapshot.
  await sql`create function atelier.pause() returns boolean language plpgsql volatile as
    'begin perform pg_advisory_xact_lock(7); return true; end'`.execute(db);
  await sql`alter table atelier.datasets rename to stored`.execute(db);
  await sql`create view atelier.datasets as select * from atelier.stored
    union all select '', '', '', '', '', '', '', null, '' where not atelier.pause()`.execute(db);
  const collected = await (await connect()).connection().execute(async (barrier) => {
    await sql`select pg_advisory_lock(7)`.execute(barrier);
    const collecting = collect();
    await untilBlocked(barrier);
    await sql`insert into atelier.stored values ('dst_x', null, '', '', '', ${kept}, '', null)`.execute(
      barrier,
    );
    await sql`select pg_advisory_unlock(7)`.execute(barrier);
    return collecting;
  });
  assert.deepEqual(collected, { blobs: 1, objects: 0 });
  assert.deepEqual(await digests(db), [kept]);
});

test('one of several processes collects', { skip }, async (t) => {
  const { db, blobs, other, collect } = await fixture(t);
  await blobs.put(Buffer.from('x'));
  await age(db);
  await other.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtext('atelier blobs'))`.execute(trx);
    assert.deepEqual(await collect(), { blobs: 0, objects: 0 });
  });
  assert.deepEqual(await collect(), { blobs: 1, objects: 0 });
});

test('removes objects after their rows, and old objects without a row', { skip }, async (t) => {
  const { db } = await fixture(t);
  const { server, objects, blobs } = await objectStore(t, db);
  const name = (digest: string) => `atelier/blobs/${parseHex(digest)}`;
  const kept = await blobs.put(Buffer.from('kept'));
  const old = await blobs.put(Buffer.from('old'));
  await refer(db, kept);
  await age(db);
  const young = await blobs.put(Buffer.from('young'));
  const [orphan, youngOrphan, foreign] = ['a'.repeat(64), `ab${'0'.repeat(62)}`, 'a-readme'];
  for (const each of [orphan, youngOrphan, foreign])
    await objects.put(each, new Uint8Array(), parseHex(EMPTY));
  for (const [each, object] of server.objects)
    if (!each.endsWith(youngOrphan)) object.modifiedAt -= 2 * HOUR_MS;

  assert.deepEqual(await collectBlobs(createPostgresRows(db), objects, { digit: 'a' }), {
    blobs: 1,
    objects: 2,
  });
  const left = [name(kept), name(young), name(`sha256:${youngOrphan}`), `atelier/blobs/${foreign}`, OWNER];
  assert.deepEqual([...server.objects.keys()].toSorted(), left.toSorted());
  assert.deepEqual(await digests(db), [kept, young].toSorted());
  await assert.rejects(blobs.get(old), failure('state-unusable', 'missing'));
  for (const digit of '0123456789abcdef') await collectBlobs(createPostgresRows(db), objects, { digit });
  assert.equal((await blobs.get(kept)).length, 4);
});

test('each hour, the objects of another first digit are compared with the rows', { skip }, async (t) => {
  const { db } = await fixture(t);
  const { server, objects } = await objectStore(t, db);
  for (const digit of '9ab') await objects.put(digit.repeat(64), new Uint8Array(), parseHex(EMPTY));
  for (const object of server.objects.values()) object.modifiedAt = 0;
  // 10 hours, and 16 hours with another digit each.
  t.mock.timers.enable({ apis: ['Date'], now: 26 * HOUR_MS });
  await collectBlobs(createPostgresRows(db), objects);
  const left = ['9', 'b'].map((digit) => `atelier/blobs/${digit.repeat(64)}`);
  assert.deepEqual([...server.objects.keys()].toSorted(), [...left, OWNER]);
});

test('a copy of the database removes no objects', { skip }, async (t) => {
  const [original, copy] = [await fixture(t), await fixture(t)];
  const { server, objects, blobs } = await objectStore(t, original.db);
  await blobs.put(Buffer.from('x'));
  assert.deepEqual(await collectBlobs(createPostgresRows(original.db), objects, { digit: '0' }), {
    blobs: 0,
    objects: 0,
  });
  for (const object of server.objects.values()) object.modifiedAt = 0;
  for (const digit of '0123456789abcdef') {
    await assert.rejects(
      collectBlobs(createPostgresRows(copy.db), objects, { digit }),
      failure('state-unusable', 'another database', 'prefix'),
    );
  }
  assert.equal(server.objects.size, 2);
});

test('an object that is stored again while it is being removed exists in the end', { skip }, async (t) => {
  const { db, connect } = await fixture(t);
  const { server, objects, blobs } = await objectStore(t, db);
  const digest = await blobs.put(Buffer.from('x'));
  await age(db);
  let storing: Promise<string> | undefined;
  server.beforeRemoval = async () => {
    const other = await connect();
    storing = (await objectStore(t, other, server)).blobs.put(Buffer.from('x'));
    await untilBlocked(await connect());
  };
  assert.deepEqual(await collectBlobs(createPostgresRows(db), objects), { blobs: 1, objects: 1 });
  assert.equal(await storing, digest);
  assert.equal((await blobs.get(digest)).length, 1);
});

test('a shutdown ends the collection after the current batch, and later ones remove the rest', {
  skip,
}, async (t) => {
  const { db } = await fixture(t);
  const { server, objects, blobs } = await objectStore(t, db);
  for (let n = 0; n < 40; n++) await blobs.put(Buffer.from([n]));
  await age(db);
  for (const object of server.objects.values()) object.modifiedAt -= 2 * HOUR_MS;
  const stop = new AbortController();
  server.beforeRemoval = async () => stop.abort();
  const rows = createPostgresRows(db);
  const first = await collectBlobs(rows, objects, { signal: stop.signal });
  assert.deepEqual(first, { blobs: 40, objects: 16 });
  for (const digit of '0123456789abcdef') await collectBlobs(rows, objects, { digit });
  assert.deepEqual([...server.objects.keys()], [OWNER]);
});

test('blobs of the time before the object store are still found', { skip }, async (t) => {
  const { db, blobs: earlier } = await fixture(t);
  const digest = await earlier.put(Buffer.from('x'));
  const { blobs } = await objectStore(t, db);
  assert.equal((await blobs.get(digest)).length, 1);
});

test('a blob of the object store is not visible in the database before all of its chunks are', {
  skip,
}, async (t) => {
  const { db } = await fixture(t);
  const stored = await objectStore(t, db);
  const bytes = Buffer.alloc(33);
  const digest = await stored.blobs.put(bytes);
  await sql`alter table atelier.blob_chunks add constraint short check (n < 8)`.execute(db);
  // Two transactions of up to eight chunks: the second one fails.
  await assert.rejects(createChunkedBlobs(db, 4).put(bytes), /short/);
  stored.server.objects.clear();
  await assert.rejects(stored.blobs.get(digest), failure('state-unusable', 'missing'));
});

test('an object whose row is written right before its removal is kept', { skip }, async (t) => {
  const { db } = await fixture(t);
  const { server, objects } = await objectStore(t, db);
  const name = `atelier/blobs/${'e'.repeat(64)}`;
  server.objects.set(name, { bytes: Buffer.alloc(0), modifiedAt: Date.now() - 2 * HOUR_MS });
  const rows = createPostgresRows(db);
  let transactions = 0;
  const inTransaction: typeof rows.inTransaction = async (work) => {
    // The first two look for rows without references, and for objects without rows.
    if (++transactions === 3) {
      const row = { digest: `sha256:${'e'.repeat(64)}`, bytes: 0, whole: true };
      await withBlobTables(db).insertInto('blobs').values(row).execute();
    }
    return rows.inTransaction(work);
  };
  assert.deepEqual(await collectBlobs({ db, inTransaction }, objects, { digit: 'e' }), {
    blobs: 0,
    objects: 0,
  });
  assert.ok(server.objects.has(name));
  assert.equal(transactions, 3);
});
