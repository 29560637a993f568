import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AtelierError } from '../../../src/errors.ts';
import { createModelService, findNamed, loadNamed } from '../../../src/services/models/catalog.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import {
  failure,
  newJob,
  publish,
  request,
  startRun,
  temporaryStore,
  trained,
  untouched,
} from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';

async function setUp(t: TestContext) {
  const store = await temporaryStore(t);
  return { store, models: createModelService(store, catalogOf()) };
}

/** Publishes a version whose parameters are stored: 784 · 1 + 1 + 1 · 2 + 2, all of this value. */
function publishLoadable(store: Store, name: string, value: number) {
  const parameters = new Float32Array(789).fill(value);
  return store.blobs.putReferenced(new Uint8Array(parameters.buffer), async (digest) => {
    await publish(store, name, {}, { layerSizes: [784, 1, 2], digest });
    return digest;
  });
}

test('the error of a missing version names the newest one, and of a missing alias the others', async (t) => {
  const { store, models } = await setUp(t);
  await publish(store, 'shoes');
  await assert.rejects(models.version('shoes', 7), {
    code: 'model-not-found',
    message: 'Model shoes has no version 7; its newest is 1.',
  });
  await assert.rejects(models.version('shoes', 'best'), {
    message: 'Model shoes has no alias best; its aliases are: champion (1).',
  });
  await store.aliases.remove('shoes', 'champion', 'anonymous');
  await assert.rejects(models.version('shoes', 'best'), {
    message: 'Model shoes has no alias best; it has no aliases.',
  });
});

test('the error of a missing model lists others, the nearest name and the jobs that publish one', async (t) => {
  const { store, models } = await setUp(t);
  const end = 'a training job publishes a model when it succeeds.';
  await assert.rejects(models.get('shoes'), {
    code: 'model-not-found',
    message: `Model shoes does not exist. No models exist yet; ${end}`,
  });
  for (let n = 10; n < 20; n++) await publish(store, `shoes-${n}`);
  const listed = (newest: number) => Array.from({ length: 10 }, (_, n) => `shoes-${newest - n}`).join(', ');
  await assert.rejects(models.versions('xyz', { limit: 1 }), {
    message: `Model xyz does not exist. Existing models: ${listed(19)}; ${end}`,
  });
  const id = await newJob(store, 'running', 'boots');
  await publish(store, 'shoes-20');
  await assert.rejects(models.get('shoe-20'), {
    message: `Model shoe-20 does not exist. Did you mean shoes-20? Existing models: ${listed(20)}, …; ${end} A training job is running: ${id}, publishing boots.`,
  });
});

test('a verification publishes nothing, so it is not listed', async (t) => {
  const { store, models } = await setUp(t);
  const of = await newJob(store);
  const target = { of, expected: trained.digest, kernel: { name: 'k', digest: 'd' }, fused: true };
  const { id } = await store.jobs.create(request('boots'), untouched, { target });
  await startRun(store, id);
  await assert.rejects(models.get('boots'), ({ message }: Error) => !message.includes('is running'));
});

test('a version is loaded once, until it is deleted', async (t) => {
  const { store, models } = await setUp(t);
  await publishLoadable(store, 'shoes', 0.5);
  assert.equal(models.loaded('shoes'), undefined);
  const model = await models.load('shoes');
  assert.deepEqual(model.reference, { name: 'shoes', version: 1 });
  assert.deepEqual([model.parameters.length, model.parameters[788]], [789, 0.5]);
  assert.ok(model.parameters.buffer instanceof SharedArrayBuffer);
  assert.deepEqual([model.datasetId, model.preprocessing], ['fashion-mnist', trained.preprocessing]);
  assert.equal(models.loaded('shoes'), model);
  assert.equal(models.load('shoes', 1), model);
  models.invalidate([{ name: 'shoes', version: 1 }]);
  assert.equal(models.loaded('shoes', 1), undefined);
});

test('a name means its new champion once other processes report a change', async (t) => {
  const { store, models } = await setUp(t);
  await publishLoadable(store, 'shoes', 0.5);
  await publishLoadable(store, 'shoes', 0.25);
  assert.equal((await models.load('shoes')).reference.version, 1);
  const before = models.revision();
  await store.aliases.move('shoes', 'champion', 2, 'anonymous');
  models.invalidate();
  assert.equal(models.revision(), before + 1);
  assert.equal((await models.load('shoes')).reference.version, 2);
});

test('a checkpoint that does not exist is an error that says which ones do', async (t) => {
  const { store, models } = await setUp(t);
  const id = await newJob(store, 'running');
  await assert.rejects(
    async () => models.load(id, 5),
    failure('checkpoint-not-found', `Training job ${id} has no checkpoint of step 5; it has: none.`),
  );
  const other = `job_${'0'.repeat(26)}`;
  await assert.rejects(
    async () => models.load(other, 5),
    failure('checkpoint-not-found', `Training job ${other} does not exist.`),
  );
});

test('a model that a body or a query names is unknown, and other errors stay what they are', async (t) => {
  const { models } = await setUp(t);
  await assert.rejects(loadNamed(models, '#/model', 'shoes', 1), {
    code: 'unknown-model',
    details: [{ pointer: '#/model', detail: 'must be an existing model' }],
  });
  const place = { parameter: 'with' };
  const fail = (error: Error) => findNamed(place, () => Promise.reject(error));
  await assert.rejects(fail(new AtelierError('checkpoint-not-found', 'No checkpoint.')), {
    code: 'unknown-model',
    message: 'No checkpoint.',
    details: [{ ...place, detail: 'must be an existing model' }],
  });
  for (const error of [new AtelierError('overloaded', 'Busy.'), new Error('a defect')]) {
    await assert.rejects(fail(error), error);
  }
  assert.equal(await findNamed(place, () => 7), 7);
});
