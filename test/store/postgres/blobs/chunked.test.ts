import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { sql } from 'kysely';
import { createChunkedBlobs } from '../../../../src/store/postgres/blobs/chunked.ts';
import { withBlobTables } from '../../../../src/store/postgres/blobs/tables.ts';
import { withoutPostgres } from '../../../support/servers/postgres.ts';
import { failure, temporaryDirectory } from '../../fixtures.ts';
import { blobDatabase } from '../blob-database.ts';
import { fakeDatabase } from '../fake-database.ts';

/** Bytes per chunk. A batch has eight. */
const CHUNK = 1000;
const skip = withoutPostgres;

/** Bytes that differ from chunk to chunk. */
function pattern(length: number): Uint8Array {
  const numbers = new Uint32Array(Math.ceil(length / 4)).map((_, n) => Math.imul(n, 2_654_435_761));
  return new Uint8Array(numbers.buffer, 0, length);
}

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

test('blobs of every size around a chunk and a batch come back byte for byte', { skip }, async (t) => {
  const blobs = createChunkedBlobs((await blobDatabase(t)).db, CHUNK);
  const directory = await temporaryDirectory(t);
  for (const length of [0, 1, CHUNK, CHUNK + 1, 8 * CHUNK, 8 * CHUNK + 1, 127_240]) {
    const bytes = pattern(length);
    const digest = await blobs.put(bytes);
    assert.equal(digest, digestOf(bytes), `${length}`);
    const found = await blobs.get(digest);
    assert.equal(found.byteOffset, 0);
    assert.ok(Buffer.from(bytes).equals(found), `${length}`);
    const path = join(directory, `${length}`);
    await blobs.getFile(digest, path);
    assert.ok(Buffer.from(bytes).equals(await readFile(path)), `${length}`);
    await blobs.remove(digest);
    assert.equal(await blobs.putFile(path), digest);
    assert.ok(Buffer.from(bytes).equals(await blobs.get(digest)), `${length}`);
  }
});

test('only the viewed part of a larger buffer is stored', { skip }, async (t) => {
  const blobs = createChunkedBlobs((await blobDatabase(t)).db, CHUNK);
  const part = pattern(5000).subarray(5, 4101);
  assert.deepEqual(await blobs.get(await blobs.put(part)), new Uint8Array(part));
});

test('damaged and missing blobs are reported, and storing them again repairs them', { skip }, async (t) => {
  const database = (await blobDatabase(t)).db;
  const db = withBlobTables(database);
  const blobs = createChunkedBlobs(database, CHUNK);
  const directory = await temporaryDirectory(t);
  const bytes = pattern(9 * CHUNK);
  const digest = await blobs.put(bytes);
  const damages = [
    db
      .updateTable('blob_chunks')
      .set({ bytes: Buffer.from('x') })
      .where('n', '=', 8),
    db
      .updateTable('blob_chunks')
      .set({ bytes: Buffer.from('x') })
      .where('n', '=', 0),
    db.deleteFrom('blob_chunks').where('n', '=', 3),
    db.updateTable('blobs').set({ bytes: 7 }),
  ];
  const path = join(directory, 'copy');
  for (const damage of damages.slice(0, 3)) {
    await damage.execute();
    await assert.rejects(blobs.get(digest), failure('state-unusable', digest, 'damaged', 'backup'));
    await assert.rejects(blobs.getFile(digest, path), failure('state-unusable', digest, 'damaged'));
    assert.deepEqual(await readdir(directory), []);
    await blobs.put(bytes);
    assert.ok(Buffer.from(bytes).equals(await blobs.get(digest)));
  }
  await damages[3]!.execute();
  await assert.rejects(blobs.get(digest), failure('state-unusable', digest, 'damaged'));
  await blobs.remove(digest);
  await assert.rejects(blobs.get(digest), failure('state-unusable', digest, 'missing', 'backup'));
  await assert.rejects(blobs.getFile(digest, path), failure('state-unusable', digest, 'missing'));
});

test('a blob of several transactions becomes visible when it is whole', { skip }, async (t) => {
  const database = (await blobDatabase(t)).db;
  const db = withBlobTables(database);
  const blobs = createChunkedBlobs(database, CHUNK);
  const file = join(await temporaryDirectory(t), 'file');
  const bytes = pattern(20 * CHUNK);
  const digest = digestOf(bytes);
  await writeFile(file, bytes);
  // The last chunk cannot be stored, as if the process had ended before it.
  await sql`alter table atelier.blob_chunks add constraint short check (n < 19)`.execute(db);
  await assert.rejects(blobs.putFile(file), /short/);
  const stored = await db.selectFrom('blob_chunks').select('n').execute();
  assert.equal(stored.length, 16);
  await assert.rejects(blobs.get(digest), failure('state-unusable', digest, 'missing'));
  await sql`alter table atelier.blob_chunks drop constraint short`.execute(db);
  await Promise.all([blobs.putFile(file), blobs.put(bytes), blobs.putFile(file)]);
  assert.ok(Buffer.from(bytes).equals(await blobs.get(digest)));
});

test('storing an existing blob refreshes its time', { skip }, async (t) => {
  const database = (await blobDatabase(t)).db;
  const db = withBlobTables(database);
  const blobs = createChunkedBlobs(database, CHUNK);
  for (const length of [1000, 9 * CHUNK]) {
    const digest = await blobs.put(pattern(length));
    await sql`update atelier.blobs set created_at = now() - interval '1 day'`.execute(db);
    await blobs.put(pattern(length));
    const age = await sql<{ old: boolean }>`
      select created_at < now() - interval '1 hour' as old from atelier.blobs where digest = ${digest}`.execute(
      db,
    );
    assert.deepEqual(age.rows, [{ old: false }]);
  }
});

test('a blob of up to eight chunks is stored whole in one statement, and a larger one in several', async (t) => {
  const path = join(await temporaryDirectory(t), 'source');
  /** The sizes of the chunks of each statement that stores some, after whether the blob is whole. */
  let statements: unknown[][] = [];
  const db = fakeDatabase(({ sql: text, parameters }) => {
    if (/^with/.test(text)) {
      const chunks = parameters.flatMap((each) => (each instanceof Uint8Array ? [each.length] : []));
      statements.push([parameters.includes(true), ...chunks]);
    }
    return [];
  });
  const blobs = createChunkedBlobs(db, 10);
  const eight = Array.from({ length: 8 }, () => 10);
  for (const [length, expected] of [
    [0, [[true, 0]]],
    [10, [[true, 10]]],
    [11, [[true, 10, 1]]],
    [80, [[true, ...eight]]],
    [
      81,
      [
        [false, ...eight],
        [false, 1],
      ],
    ],
    [
      160,
      [
        [false, ...eight],
        [false, ...eight],
      ],
    ],
  ] as const) {
    await writeFile(path, pattern(length));
    for (const put of [() => blobs.put(pattern(length)), () => blobs.putFile(path)]) {
      statements = [];
      // No row is there to complete.
      if (length > 80) await assert.rejects(put(), /was removed while it was being stored/);
      else await put();
      assert.deepEqual(statements, expected, `${length}`);
    }
  }
});
