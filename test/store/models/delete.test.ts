import assert from 'node:assert/strict';
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AtelierError } from '../../../src/errors.ts';
import { openBlobs } from '../../../src/store/blobs/content-addressed.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import {
  calibrate,
  failure,
  newJob,
  publish,
  request,
  runOf,
  startRun,
  temporaryDirectory,
  temporaryStore,
  trained,
  untouched,
} from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

/** A version with parameters of its own. */
async function publishBytes(store: Store, name: string, bytes: Uint8Array): Promise<string> {
  const id = await newJob(store, 'running', name);
  return store.blobs.putReferenced(bytes, async (digest) => {
    const model = { ...trained, digest };
    await runOf(id).finish({ status: 'succeeded', step: 1, reason: 'completed', model });
    return digest;
  });
}

storeTest('version numbers are not reused after deleting a version or a model', async (t) => {
  const store = await temporaryStore(t);
  for (let n = 0; n < 3; n++) await publish(store, 'shoes');
  assert.deepEqual(await store.models.remove('shoes', 3), [3]);
  assert.equal((await store.models.get('shoes'))?.latest.version, 2);
  await publish(store, 'shoes');
  assert.equal((await store.models.get('shoes'))?.latest.version, 4);
  assert.deepEqual((await store.models.remove('shoes')).toSorted(), [1, 2, 4]);
  assert.equal(await store.models.get('shoes'), undefined);
  assert.deepEqual((await store.models.list({ limit: 10 })).data, []);
  await publish(store, 'shoes');
  const again = await store.models.get('shoes');
  assert.deepEqual([again?.versions, again?.latest.version], [1, 5]);
  assert.equal(again?.createdAt, again?.latest.createdAt, 'it is another model');
});

storeTest('the automatic first champion protects its version, but not the whole model', async (t) => {
  const store = await temporaryStore(t);
  for (let n = 0; n < 2; n++) await publish(store, 'shoes');
  const inUse = failure('version-in-use', 'alias champion points at version 1');
  await assert.rejects(store.models.remove('shoes', 1), inUse);
  assert.deepEqual(await store.models.remove('shoes', 2), [2]);
  assert.deepEqual(await store.models.remove('shoes', 1), [1], 'the last version is the whole model');
  assert.deepEqual(await store.aliases.list('shoes'), []);
  for (let n = 0; n < 2; n++) await publish(store, 'shoes');
  assert.equal((await store.models.version('shoes'))?.version, 3, 'the first version of another model');
  await store.aliases.move('shoes', 'canary', 4, 'ci');
  await assert.rejects(store.models.remove('shoes'), failure('version-in-use', 'alias canary'));
  await store.aliases.remove('shoes', 'canary', 'ci');
  assert.deepEqual((await store.models.remove('shoes')).toSorted(), [3, 4]);
  const { data } = await store.aliases.history('shoes', { limit: 1 });
  assert.deepEqual([data[0]?.version, data[0]?.caller], [null, 'service']);
});

storeTest('a version with an alias cannot be deleted', async (t) => {
  const store = await temporaryStore(t);
  for (let n = 0; n < 2; n++) await publish(store, 'shoes');
  await store.aliases.move('shoes', 'champion', 2, 'ci');
  await store.aliases.move('shoes', 'champion', 1, 'ci');
  const inUse = failure('version-in-use', 'alias champion points at version 1', 'Move the alias');
  await assert.rejects(store.models.remove('shoes', 1), inUse);
  await assert.rejects(store.models.remove('shoes'), inUse);
  assert.equal((await store.models.get('shoes'))?.versions, 2);
  await store.models.remove('shoes', 2);
  await store.aliases.remove('shoes', 'champion', 'ci');
  await store.models.remove('shoes', 1);
  assert.equal(await store.models.get('shoes'), undefined);
});

storeTest('the warm start of an unfinished job cannot be deleted', async (t) => {
  const store = await temporaryStore(t);
  for (let n = 0; n < 2; n++) await publish(store, 'shoes');
  await store.aliases.remove('shoes', 'champion', 'ci');
  const warm = { ...request('boots'), warmStart: { name: 'shoes', version: 1 } };
  const { id } = await store.jobs.create(warm, untouched);
  const inUse = (status: string) =>
    failure('version-in-use', `the ${status} training job ${id}`, 'cancel it');
  await assert.rejects(store.models.remove('shoes', 1), inUse('queued'));
  await assert.rejects(store.models.remove('shoes'), inUse('queued'));
  await startRun(store, id);
  await assert.rejects(store.models.remove('shoes', 1), inUse('running'));
  await store.models.remove('shoes', 2);
  await runOf(id).finish({ status: 'succeeded', step: 1, reason: 'completed', model: trained });
  await store.models.remove('shoes', 1);
  const { lineage } = (await store.models.version('boots'))!;
  assert.deepEqual(lineage.parent, { name: 'shoes', version: 1 }, 'the lineage stays whole');
});

/** A request that distils version 1 of `shoes`. */
function student() {
  const body = request('boots');
  const distillation = {
    teachers: [
      { name: 'shirts', version: 1 },
      { name: 'shoes', version: 1 },
    ],
    weight: 0.5,
  };
  return { ...body, training: { ...body.training, distillation } };
}

storeTest('a teacher of an unfinished job cannot be deleted', async (t) => {
  const store = await temporaryStore(t);
  for (const name of ['shoes', 'shoes', 'shirts']) await publish(store, name);
  await store.aliases.remove('shoes', 'champion', 'ci');
  const { id } = await store.jobs.create(student(), untouched);
  const inUse = (status: string) =>
    failure('version-in-use', `version 1 is a teacher of the ${status} training job ${id}`, 'cancel it');
  await assert.rejects(store.models.remove('shoes', 1), inUse('queued'));
  await assert.rejects(store.models.remove('shoes'), inUse('queued'));
  await assert.rejects(store.models.remove('shirts'), inUse('queued'));
  await startRun(store, id);
  await assert.rejects(store.models.remove('shoes', 1), inUse('running'));
  await store.models.remove('shoes', 2);
  await runOf(id).finish({ status: 'succeeded', step: 1, reason: 'completed', model: trained });
  await store.models.remove('shoes', 1);
  const { lineage } = (await store.models.version('boots'))!;
  assert.deepEqual(lineage.teachers, student().training.distillation.teachers, 'the lineage stays whole');
});

storeTest('rejects a job if one of its teachers was deleted', async (t) => {
  const store = await temporaryStore(t);
  for (const name of ['shoes', 'shoes', 'shirts']) await publish(store, name);
  await store.aliases.remove('shoes', 'champion', 'ci');
  await store.models.remove('shoes', 1);
  await assert.rejects(store.jobs.create(student(), untouched), (error: AtelierError) => {
    assert.deepEqual(error.details, [
      { pointer: '#/training/distillation/teachers/1', detail: 'must be an existing version' },
    ]);
    return error.code === 'unknown-model';
  });
  assert.equal(await store.jobs.count('queued'), 0);
});

storeTest('of several missing models of a request, the first by its name is reported', async (t) => {
  const store = await temporaryStore(t);
  const body = student();
  const { distillation } = body.training;
  const teachers = distillation.teachers.toReversed();
  const training = { ...body.training, distillation: { ...distillation, teachers } };
  await assert.rejects(store.jobs.create({ ...body, training }, untouched), (error: AtelierError) => {
    assert.deepEqual(error.details, [
      { pointer: '#/training/distillation/teachers/1', detail: 'must be an existing version' },
    ]);
    return failure('unknown-model', 'shirts')(error);
  });
});

storeTest('rejects a job if its warm start was deleted', async (t) => {
  const store = await temporaryStore(t);
  for (let n = 0; n < 2; n++) await publish(store, 'shoes');
  await store.aliases.remove('shoes', 'champion', 'ci');
  await store.models.remove('shoes', 1);
  const warm = { ...request('boots'), warmStart: { name: 'shoes', version: 1 } };
  await assert.rejects(store.jobs.create(warm, untouched), failure('unknown-model', 'shoes', '1'));
  assert.equal(await store.jobs.count('queued'), 0);
});

storeTest('rejects deleting a missing version', async (t) => {
  const store = await temporaryStore(t);
  await publish(store, 'shoes');
  await assert.rejects(store.models.remove('shoes', 2), failure('model-not-found', 'Version 2', 'shoes'));
  await assert.rejects(store.models.remove('boots'), failure('model-not-found', 'boots'));
});

test('parameters are removed with the last version that has them', async (t) => {
  const store = await temporaryStore(t);
  const bytes = new Uint8Array([1, 2, 3, 4]);
  const digest = await publishBytes(store, 'shoes', bytes);
  await publishBytes(store, 'shirts', bytes);
  const other = await publishBytes(store, 'shoes', new Uint8Array([5]));
  await store.aliases.move('shoes', 'champion', 2, 'ci');
  await store.models.remove('shoes', 1);
  assert.deepEqual(await store.blobs.get(digest), bytes);
  await store.models.remove('shirts');
  await assert.rejects(store.blobs.get(digest), failure('state-unusable', digest));
  assert.deepEqual(await store.blobs.get(other), new Uint8Array([5]));
});

test('calibrations are removed with the last version that has them, and when replaced', async (t) => {
  const store = await temporaryStore(t);
  await publishBytes(store, 'shoes', new Uint8Array([1]));
  const replaced = await calibrate(store, 'shoes', 1, 'first');
  const digest = await calibrate(store, 'shoes', 1, 'second');
  await assert.rejects(store.blobs.get(replaced), failure('state-unusable', replaced));
  await store.models.copy({ name: 'shoes', version: 1 }, 'copy');
  await store.models.remove('shoes');
  assert.equal(Buffer.from(await store.blobs.get(digest)).toString(), 'second');
  await store.models.remove('copy');
  await assert.rejects(store.blobs.get(digest), failure('state-unusable', digest));
});

test('removes parameters without a version at the next start', async (t) => {
  const directory = await temporaryDirectory(t);
  const before = await openStore(directory);
  const digest = await publishBytes(before, 'shoes', new Uint8Array([1]));
  const calibration = await calibrate(before, 'shoes', 1, 'calibration');
  await before.close();
  const blobs = await openBlobs(join(directory, 'blobs'));
  const unpublished = await blobs.put(new Uint8Array([2]));
  await utimes(join(directory, 'blobs', unpublished.slice('sha256:'.length)), 0, 0);
  const after = await openStore(directory);
  t.after(() => after.close());
  const kept = [digest, calibration].map((named) => named.slice('sha256:'.length));
  assert.deepEqual((await readdir(join(directory, 'blobs'))).toSorted(), kept.toSorted());
});

storeTest('parameters survive concurrent publishing and deleting', async (t) => {
  const store = await temporaryStore(t);
  const bytes = new Uint8Array([1, 2, 3, 4]);
  await publish(store, 'shoes');
  await publishBytes(store, 'shoes', bytes);
  for (let version = 2; version <= 20; version++) {
    const [digest] = await Promise.all([
      publishBytes(store, 'shoes', bytes),
      store.models.remove('shoes', version),
    ]);
    assert.deepEqual(await store.blobs.get(digest), bytes);
  }
});
