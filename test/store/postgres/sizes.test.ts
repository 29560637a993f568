import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { collectBlobs } from '../../../src/store/postgres/blobs/collect.ts';
import { connectPostgres } from '../../../src/store/postgres/connect.ts';
import { createPostgresRows } from '../../../src/store/postgres/rows.ts';
import { DATABASE_KINDS, measureDatabase } from '../../../src/store/postgres/sizes.ts';
import { execute, withoutPostgres } from '../../support/servers/postgres.ts';
import { addDataset, calibrate, newJob, runOf, trained } from '../fixtures.ts';
import { fakeDatabase } from './fake-database.ts';
import { openTwoStores } from './two-stores.ts';

test('measures the content of PostgreSQL by kind, and collects what no row refers to', {
  skip: withoutPostgres,
}, async (t) => {
  const {
    stores: [store],
    url,
  } = await openTwoStores(t);
  const id = await newJob(store, 'running');
  for (const step of [1, 2]) {
    await runOf(id).saveCheckpoint({ step, epoch: 1, loss: null }, new Uint8Array(500_000).fill(step));
  }
  await store.blobs.putReferenced(new Uint8Array(3000), async (digest) => {
    const model = { ...trained, digest };
    await runOf(id).finish({ status: 'succeeded', step: 2, reason: 'completed', model });
  });
  const calibration = await calibrate(store, 'fashion-mnist', 1, 'arrays');
  await addDataset(store, 'dst_a', 'x'.repeat(700));
  const input = store.temporaryFiles.newFile();
  await writeFile(input, new Uint8Array(90));
  const predicted = {
    model: { name: 'fashion-mnist', version: 1 },
    classNames: [],
    images: 1,
    coverage: null,
  };
  await store.predictionJobs.create({ ...predicted, source: { pixels: '0-1' } }, { input, queueLimit: 1 });
  await execute(url, 'analyze atelier.events', `delete from atelier.blobs where bytes = 0`);
  const before = await store.measureDatabase!();
  const { database, events, metrics, ...blobs } = before;
  assert.deepEqual(blobs, {
    models: { bytes: 3006, count: 2 },
    checkpoints: { bytes: 1_000_000, count: 2 },
    datasets: { bytes: 700, count: 1 },
    predictions: { bytes: 90, count: 1 },
    unreferenced: { bytes: 0, count: 0 },
  });
  assert.ok(events.bytes > 0 && events.count > 0 && metrics.bytes > 0, JSON.stringify({ events, metrics }));
  assert.ok(database.bytes > 1_000_000 && database.count > 10, JSON.stringify(database));
  await store.jobs.remove(id);
  const { checkpoints, unreferenced } = await store.measureDatabase!();
  assert.deepEqual([checkpoints, unreferenced], [blobs.unreferenced, blobs.checkpoints]);

  await execute(url, `update atelier.blobs set created_at = created_at - interval '2 hours'`);
  const db = await connectPostgres({ url });
  t.after(() => db.destroy());
  assert.equal((await collectBlobs(createPostgresRows(db))).blobs, 2);
  assert.equal(Buffer.from(await store.blobs.get(calibration)).toString(), 'arrays');
});

test('what has no partition, such as the events of a new database, is empty', async () => {
  const answer = [{ kind: 'models', bytes: '30', count: '2' }];
  const { models, ...others } = await measureDatabase(fakeDatabase(() => answer));
  assert.deepEqual(models, { bytes: 30, count: 2 });
  assert.deepEqual(
    Object.entries(others),
    DATABASE_KINDS.filter((kind) => kind !== 'models').map((kind) => [kind, { bytes: 0, count: 0 }]),
  );
});
