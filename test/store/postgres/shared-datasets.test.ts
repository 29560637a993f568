import assert from 'node:assert/strict';
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sql } from 'kysely';
import { trainingRequestSchema } from '../../../src/domain/jobs/request.ts';
import { AtelierError } from '../../../src/errors.ts';
import type { BlobStore } from '../../../src/store/blobs/content-addressed.ts';
import type { Rows } from '../../../src/store/database/rows.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { openSharedDatasets } from '../../../src/store/postgres/shared-datasets.ts';
import { withoutPostgres } from '../../support/servers/postgres.ts';
import { CREDENTIALS, startS3 } from '../../support/servers/s3-server.ts';
import { addDataset, failure, newDataset, temporaryDirectory, untouched } from '../fixtures.ts';
import { blobDatabase } from './blob-database.ts';

const skip = withoutPostgres;

/** Stores of two processes on one database. */
async function openReplicas(t: TestContext, blobUrl: string | null = null) {
  const { url, db } = await blobDatabase(t);
  const open = async () => {
    const directory = await temporaryDirectory(t);
    const bucket = { blobUrl, blobCredentials: CREDENTIALS };
    const store = await openPostgresStore({ url, directory, ...bucket, maxDatasetBytes: 20 });
    t.after(() => store.close());
    return { store, files: () => readdir(join(directory, 'cache', 'datasets')), directory };
  };
  return { db, a: await open(), b: await open() };
}

/** Reads the file as the loading of a data set does. */
async function read({ datasets }: Store, id: string, bytes = 'tensors'): Promise<string> {
  return datasets.withFile(newDataset(id, null, bytes), async (path) => {
    const text = await readFile(path, 'utf8');
    if (text !== bytes) throw new AtelierError('dataset-damaged', `It holds "${text}".`);
    return text;
  });
}

const runHourlyTasks = async ({ hourlyTasks }: Store) => {
  for (const task of hourlyTasks) await task(new AbortController().signal);
};

test('a data set that one process stores is found and read by another', { skip }, async (t) => {
  const { db, a, b } = await openReplicas(t);
  const added = await addDataset(a.store, 'dst_a', 'tensors', 'mine');
  assert.equal(added.isNew, true);
  assert.deepEqual(await b.store.datasets.find('dst_a'), added.dataset);
  assert.equal(await b.store.datasets.find('dst_b'), undefined);
  assert.deepEqual([(await a.files()).length, (await b.files()).length], [1, 0]);
  assert.equal(await read(b.store, 'dst_a'), 'tensors');
  assert.deepEqual(await b.files(), await a.files());

  const again = await addDataset(b.store, 'dst_a', 'tensors', 'theirs');
  assert.deepEqual(again, { ...added, isNew: false });
  for (const bytes of ['another one', 'a third one']) await addDataset(a.store, `dst_${bytes}`, bytes);
  assert.equal((await a.files()).length, 1, 'the cache is limited');
  assert.equal(await read(a.store, 'dst_a'), 'tensors');

  const [file] = await b.files();
  await truncate(join(b.directory, 'cache', 'datasets', file!), 3);
  assert.equal(await read(b.store, 'dst_a'), 'tensors', 'a damaged copy is fetched again');

  await b.store.datasets.remove('dst_a');
  assert.equal(await a.store.datasets.find('dst_a'), undefined);
  await sql`update atelier.blobs set created_at = now() - interval '2 hours'`.execute(db);
  await runHourlyTasks(b.store);
  const left = await sql`select digest from atelier.blobs`.execute(db);
  assert.equal(left.rows.length, 2);
  await addDataset(a.store, 'dst_b', 'yet another');
  await addDataset(a.store, 'dst_c', 'and another');
  await assert.rejects(read(a.store, 'dst_a'), failure('state-unusable', 'missing'));
});

test('of a deletion and a concurrent new job of another process, exactly one succeeds', {
  skip,
}, async (t) => {
  const { a, b } = await openReplicas(t);
  const request = { ...trainingRequestSchema.parse({ dataset: 'dst_a' }), modelName: 'mine' };
  for (let n = 0; n < 10; n++) {
    await addDataset(a.store, 'dst_a');
    const [created, removed] = await Promise.allSettled([
      a.store.jobs.create(request, untouched),
      b.store.datasets.remove('dst_a'),
    ]);
    if (created.status === 'fulfilled') {
      assert.ok(removed.status === 'rejected' && failure('dataset-in-use', 'dst_a')(removed.reason));
      await a.store.jobs.requestCancel(created.value.id);
      await b.store.datasets.remove('dst_a');
    } else {
      assert.ok(failure('unknown-dataset', 'dst_a', 'deleted')(created.reason));
      assert.equal(removed.status, 'fulfilled');
    }
  }
});

test('concurrent uploads of the same data set store it once', { skip }, async (t) => {
  const { a, b } = await openReplicas(t);
  const added = await Promise.all([a, b, a, b].map(({ store }) => addDataset(store, 'dst_a')));
  assert.equal(added.filter(({ isNew }) => isNew).length, 1);
  assert.equal((await a.store.datasets.list()).length, 1);
  const wrong = a.store.datasets.newFile();
  await writeFile(wrong, 'other bytes');
  await assert.rejects(a.store.datasets.add(wrong, newDataset('dst_b')), /digest/);
});

test('with a bucket, parameters and data sets are objects, and the database has their rows', {
  skip,
}, async (t) => {
  const s3 = await startS3();
  t.after(() => s3.close());
  const { db, a, b } = await openReplicas(t, s3.url);
  await addDataset(a.store, 'dst_a');
  const bytes = new Uint8Array(1000).fill(7);
  const digest = await a.store.blobs.putReferenced(bytes, async (stored) => stored);
  assert.equal(s3.objects.size, 2);
  assert.equal(await read(b.store, 'dst_a'), 'tensors');
  assert.deepEqual(await b.store.blobs.get(digest), bytes);
  const chunks = await sql`select from atelier.blob_chunks`.execute(db);
  assert.equal(chunks.rows.length, 0);
  await sql`update atelier.blobs set created_at = now() - interval '2 hours'`.execute(db);
  await runHourlyTasks(a.store);
  assert.equal(s3.objects.size, 2, 'the data set and the owner');
  await assert.rejects(
    openReplicas(t, s3.url.replace('models', 'others')),
    failure('storage-unavailable', 'NoSuchBucket'),
  );
});

test('a file that is discarded is removed, and may be discarded again', async (t) => {
  const directory = await temporaryDirectory(t);
  const datasets = await openSharedDatasets({} as Rows, {} as BlobStore, directory, 20);
  const file = datasets.newFile();
  await writeFile(file, 'tensors');
  for (let n = 0; n < 2; n++) await datasets.discard(file);
  await assert.rejects(readFile(file), { code: 'ENOENT' });
});
