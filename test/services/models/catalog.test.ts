import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AtelierError } from '../../../src/errors.ts';
import { fullyConnected } from '../../../src/numerics/network/architecture.ts';
import { createModelService, findNamed, loadNamed } from '../../../src/services/models/catalog.ts';
import { encodeCheckpoint } from '../../../src/store/checkpoints/encode.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import {
  failure,
  newJob,
  publish,
  request,
  runOf,
  startRun,
  temporaryStore,
  trained,
  untouched,
} from '../../store/fixtures.ts';
import { catalogOf, WITHOUT_IMAGES } from '../../support/catalog.ts';

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

test('the error of a missing model lists at most ten jobs', async (t) => {
  const { store, models } = await setUp(t);
  for (let n = 0; n < 11; n++) await newJob(store, 'running', 'boots');
  await assert.rejects(models.get('shoes'), ({ message }: Error) => {
    assert.equal(message.match(/publishing boots/g)?.length, 10);
    return true;
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

test('a notice of another process puts the names of one model in doubt, or of all', async (t) => {
  const store = await temporaryStore(t);
  let notify = (_name: string) => {};
  const notices: Store['notices'] = {
    ...store.notices,
    on: (kind, listener) => {
      if (kind === 'models') notify = listener;
    },
  };
  const models = createModelService({ ...store, notices }, catalogOf());
  for (const name of ['shoes', 'boots']) {
    await publishLoadable(store, name, name.length);
    await models.load(name);
  }
  const before = models.revision();
  notify('shoes');
  assert.equal(models.loaded('shoes'), undefined);
  assert.equal(models.loaded('boots')?.reference.name, 'boots');
  assert.equal(models.revision(), before + 1);
  notify('');
  assert.equal(models.loaded('boots'), undefined);
  assert.equal(models.revision(), before + 2);
});

/** A checkpoint of a network of 784 · 1 + 1 + 1 · 10 + 10 parameters, all of this value. */
function checkpointBytes(value: number, average: number | null = null): Uint8Array {
  const vector = (each: number) => new Float32Array(805).fill(each);
  return encodeCheckpoint({
    snapshot: {
      engineName: 'simd-float32',
      engine: {
        parameters: vector(value),
        moments: [],
        average: average === null ? null : vector(average),
        steps: 7,
        gradientNorm: 1,
      },
      step: 7,
      examples: 0,
      loss: 0,
      correct: 0,
      plateau: { factor: 1, best: 1, badEpochs: 0 },
      stopping: { level: 1, badEpochs: 0, best: 1, bestEpoch: null },
      best: null,
      end: null,
    },
    architecture: fullyConnected([28, 28], [1, 10]),
    activation: 'relu',
    standardization: null,
    fused: true,
    elapsedSeconds: 0,
    epochTrainingMs: 0,
    evaluationMs: 0,
    images: 0,
    trainingMs: 0,
  });
}

test('a checkpoint is loaded with the average of its parameters, and the classes of its data set', async (t) => {
  const store = await temporaryStore(t);
  const preprocessing = { fit: 'contain', background: 'white', invert: 'never' } as const;
  const dataset = { ...WITHOUT_IMAGES, classNames: [...'abcdefghij'], preprocessing };
  const models = createModelService(store, catalogOf(dataset));
  const id = await newJob(store, 'running');
  await runOf(id).saveCheckpoint({ step: 7, epoch: 1, loss: 0.5 }, checkpointBytes(0.5));
  await runOf(id).saveCheckpoint({ step: 8, epoch: 1, loss: 0.4 }, checkpointBytes(0.5, 0.25));
  const [plain, averaged] = [await models.load(id, 7), await models.load(id, 8)];
  assert.deepEqual(plain.reference, { name: id, version: 7 });
  assert.deepEqual([plain.parameters[804], averaged.parameters[804]], [0.5, 0.25]);
  assert.deepEqual(plain.classNames, dataset.classNames);
  assert.equal(plain.datasetId, 'fashion-mnist');
  assert.deepEqual(plain.preprocessing, catalogOf(dataset).summary('fashion-mnist')!.preprocessing);
  assert.equal(models.loaded(id, 7), plain);
});

test('a checkpoint without its data set numbers its classes, and has the preprocessing of the published version', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  await runOf(id).saveCheckpoint({ step: 7, epoch: 1, loss: 0.5 }, checkpointBytes(0.5));
  const load = async () => createModelService(store, catalogOf()).load(id, 7);
  const before = await load();
  assert.deepEqual(before.classNames, [...'0123456789']);
  assert.equal(before.preprocessing, null);
  await runOf(id).finish({ status: 'succeeded', step: 8, reason: 'completed', model: trained });
  assert.deepEqual((await load()).preprocessing, trained.preprocessing);
});

test('a version that cannot be read is an error, unless its name means another one by then', async (t) => {
  const store = await temporaryStore(t);
  await publishLoadable(store, 'shoes', 0.5);
  await publishLoadable(store, 'shoes', 0.25);
  const lost = new AtelierError('state-unusable', 'The file is missing.');
  let onRead = async () => {};
  let failures = 0;
  const get: Store['blobs']['get'] = async (digest) => {
    if (failures-- <= 0) return store.blobs.get(digest);
    await onRead();
    throw lost;
  };
  const models = createModelService({ ...store, blobs: { ...store.blobs, get } }, catalogOf());
  failures = 1;
  await assert.rejects(async () => models.load('shoes'), lost);
  failures = 1;
  onRead = async () => void (await store.aliases.move('shoes', 'champion', 2, 'anonymous'));
  assert.equal((await models.load('shoes')).reference.version, 2);
});

/** A loaded model of a service whose processes have lost their agreement, and a store that fails when it is told to. */
async function loseAgreement(t: TestContext) {
  const store = await temporaryStore(t);
  const state = { isTrusted: true, isCutOff: false };
  let read = async () => {};
  const version: Store['models']['version'] = async (...wanted) => {
    await read();
    return store.models.version(...wanted);
  };
  const agreement = { ...store.agreement, isTrusted: () => state.isTrusted, isCutOff: () => state.isCutOff };
  const models = createModelService(
    { ...store, models: { ...store.models, version }, agreement },
    catalogOf(),
  );
  await publishLoadable(store, 'shoes', 0.5);
  const model = await models.load('shoes');
  state.isTrusted = false;
  const onRead = (work: () => Promise<void>) => {
    read = work;
  };
  return { models, model, state, onRead };
}

test('without agreement a name is resolved again, and a cut-off process keeps its meaning', async (t) => {
  const { models, model, state } = await loseAgreement(t);
  assert.equal(models.loaded('shoes'), undefined);
  const before = models.revision();
  assert.equal(models.revision(), before + 1);
  state.isCutOff = true;
  assert.equal(models.loaded('shoes'), model);
  assert.equal(models.loaded('boots'), undefined);
  assert.equal(models.load('shoes'), model);
  assert.equal(models.revision(), before + 1);
});

test('a database that cannot be reached leaves a name its last meaning, and another error does not', async (t) => {
  const { models, model, onRead } = await loseAgreement(t);
  onRead(() => Promise.reject(new AtelierError('storage-unavailable', 'The database is away.')));
  assert.equal(await models.load('shoes'), model);
  await assert.rejects(async () => models.load('boots'), failure('storage-unavailable'));
  onRead(() => Promise.reject(new AtelierError('storage-full', 'The disk is full.')));
  await assert.rejects(async () => models.load('shoes'), failure('storage-full'));
});

test('a name keeps its meaning as soon as the process notices that it is cut off', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { models, model, state, onRead } = await loseAgreement(t);
  onRead(() => new Promise(() => {}));
  let found: unknown;
  const loading = Promise.resolve(models.load('shoes')).then((each) => (found = each));
  t.mock.timers.tick(250);
  await Promise.resolve();
  state.isCutOff = true;
  await new Promise(setImmediate);
  assert.equal(found, undefined);
  t.mock.timers.tick(250);
  await loading;
  assert.equal(found, model);
});
