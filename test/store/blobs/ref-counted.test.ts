import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { AtelierError } from '../../../src/errors.ts';
import { openBlobs } from '../../../src/store/blobs/content-addressed.ts';
import { createMarks, listMarked } from '../../../src/store/blobs/marks.ts';
import { createRefCountedBlobs } from '../../../src/store/blobs/ref-counted.ts';
import { temporaryDirectory } from '../fixtures.ts';

const bytes = new Uint8Array([1, 2, 3]);

async function fixture(t: Parameters<typeof temporaryDirectory>[0]) {
  const directory = await temporaryDirectory(t);
  const blobs = await openBlobs(directory);
  const rows: string[] = [];
  const marks = createMarks(directory);
  const shared = createRefCountedBlobs(blobs, async (digest) => rows.includes(digest), marks);
  const publish = () => shared.putReferenced(bytes, async (digest) => void rows.push(digest));
  return { directory, files: () => readdir(directory), rows, shared, publish };
}

test('a blob is removed with the last row that refers to it', async (t) => {
  const { files, rows, shared, publish } = await fixture(t);
  await publish();
  await publish();
  const digest = rows.pop()!;
  await shared.release([digest]);
  assert.deepEqual(await shared.get(digest), bytes);
  rows.pop();
  await shared.release([digest]);
  assert.deepEqual(await files(), []);
});

test('a blob with a pending reference is kept', async (t) => {
  const { files, rows, shared, publish } = await fixture(t);
  await publish();
  await shared.putReferenced(bytes, async (digest) => {
    rows.pop();
    await shared.release([digest]);
    rows.push(digest);
  });
  assert.deepEqual(await shared.get(rows[0]!), bytes);
  assert.equal((await files()).length, 1);
});

test('a blob that is concurrently removed and stored exists in the end', async (t) => {
  const { rows, shared, publish } = await fixture(t);
  for (let n = 0; n < 50; n++) {
    await publish();
    const digest = rows.pop()!;
    await Promise.all([shared.release([digest]), publish()]);
    assert.deepEqual(await shared.get(digest), bytes);
    rows.pop();
    await shared.release([digest]);
  }
});

test('a blob is removed if its row cannot be written', async (t) => {
  const { files, shared } = await fixture(t);
  const refused = new Error('no such job');
  await assert.rejects(
    shared.putReferenced(bytes, async () => {
      throw refused;
    }),
    refused,
  );
  assert.deepEqual(await files(), []);
});

test('a blob is kept if the row may have been written although the connection was lost', async (t) => {
  const { files, shared } = await fixture(t);
  const lost = new AtelierError('storage-unavailable', 'The connection was lost.');
  await assert.rejects(
    shared.putReferenced(bytes, () => Promise.reject(lost)),
    lost,
  );
  assert.equal((await files()).length, 1);
});

test('a file has a mark from before it appears until its row is stored', async (t) => {
  const { directory, files, rows, shared, publish } = await fixture(t);
  let name = '';
  await shared.putReferenced(bytes, async (digest) => {
    name = digest.slice('sha256:'.length);
    assert.deepEqual([...(await listMarked(directory))], [name]);
    // Another reference to the same bytes ends first.
    await publish();
    assert.deepEqual([...(await listMarked(directory))], [name]);
    rows.push(digest);
  });
  assert.deepEqual(await files(), [name]);
  rows.length = 0;
  const failing = shared.putReferenced(bytes, () => Promise.reject(new Error('full')));
  await assert.rejects(failing, /full/);
  assert.deepEqual(await files(), []);
});
