import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import { createTestSetService } from '../../../src/services/models/test-sets.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import {
  epochRecord,
  newJob,
  publish,
  request,
  runOf,
  startRun,
  temporaryStore,
  trained,
  underway,
  untouched,
} from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';

const images = { pixels: new Uint8Array(0), labels: new Uint8Array(100) };
const fashion: Dataset = {
  id: 'fashion-mnist',
  imageShape: [28, 28],
  classNames: ['a', 'b'],
  digest: trained.datasetDigest!,
  train: images,
  validation: null,
  learning: images,
  test: images,
};

async function setUp(t: TestContext, datasets: readonly Dataset[] = [fashion]) {
  const store = await temporaryStore(t);
  const service = createTestSetService(store, catalogOf(...datasets));
  const describe = async (name: string, version = 1) =>
    (await service.describe((await store.models.version(name, version))!))!;
  return { store, service, describe };
}
const withoutValidation = { training: { ...request().training, validation: null } };
const look = async (store: Store, name: string, version = 1) =>
  store.looks.record([
    {
      datasetDigest: fashion.digest,
      kind: 'evaluation',
      network: (await store.models.version(name, version))!,
      caller: 'anonymous',
    },
  ]);

test('a version was chosen by validation if it had validation images and no test result before', async (t) => {
  const { store, describe } = await setUp(t);
  await publish(store, 'held');
  await publish(store, 'unheld', withoutValidation);
  const nothing = { ...request().training, validation: { fraction: 0 } };
  await publish(store, 'empty', { training: nothing });
  assert.equal((await describe('held')).chosenBy, 'validation');
  assert.equal((await describe('unheld')).chosenBy, 'unknown');
  assert.equal((await describe('empty')).chosenBy, 'unknown');
});

test('looks are counted by data set, and intervals need the test images of the accuracy', async (t) => {
  const { store, service, describe } = await setUp(t);
  await publish(store, 'shoes');
  await publish(store, 'unknown', {}, { testAccuracy: null, digest: `sha256:${'b'.repeat(64)}` });
  const before = (await describe('shoes')).looks.total;
  await look(store, 'unknown');
  const { looks, interval, intervalOfBest } = await describe('shoes');
  assert.equal(looks.total, before + 1);
  assert.ok(!('lineageBefore' in looks));
  assert.ok(interval !== null && interval.low < 0.8711 && interval.high > 0.8711);
  assert.ok(intervalOfBest !== null);
  assert.deepEqual((await describe('unknown')).interval, null);
  const summary = catalogOf(fashion).summary('fashion-mnist')!;
  assert.equal(await service.looksAt(summary), looks.total);
});

test('without its data set, or with a changed one, a version has no interval', async (t) => {
  for (const datasets of [[], [{ ...fashion, digest: `sha256:${'e'.repeat(64)}` }]]) {
    const { store, describe, service } = await setUp(t, datasets);
    await publish(store, 'shoes');
    assert.equal((await describe('shoes')).interval, null);
    await publish(store, 'foreign', {}, { datasetId: null, datasetDigest: null });
    assert.equal(await service.describe((await store.models.version('foreign', 1))!), null);
  }
});

test('a look at a version or teacher that a training used makes its choice unknown', async (t) => {
  // A look of the same millisecond is not an earlier one.
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  for (const use of ['warmStart', 'teacher'] as const) {
    const { store, describe } = await setUp(t);
    await publish(store, 'first', {}, { digest: `sha256:${'b'.repeat(64)}`, testAccuracy: null });
    await look(store, 'first');
    const distillation = { teachers: ['first@1'], weight: 0.5, temperature: 2 };
    const changes =
      use === 'warmStart'
        ? { warmStart: 'first@1' }
        : { training: { ...request().training, distillation } as ReturnType<typeof request>['training'] };
    t.mock.timers.tick(1);
    await publish(store, 'second', changes, { digest: `sha256:${'c'.repeat(64)}`, testAccuracy: null });
    assert.equal((await describe('second')).chosenBy, 'unknown', use);
  }
});

test('the choice is unknown if a part of the lineage has been deleted', async (t) => {
  const { store, describe } = await setUp(t);
  await publish(store, 'first', {}, { digest: `sha256:${'b'.repeat(64)}` });
  await publish(store, 'second', { warmStart: 'first@1' }, { digest: `sha256:${'c'.repeat(64)}` });
  assert.equal((await describe('second')).chosenBy, 'validation');
  await store.models.remove('first');
  assert.equal((await describe('second')).chosenBy, 'unknown');
});

test('the lineage of a version goes through the checkpoint that its training started from', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const distillation = { teachers: ['used@1'], weight: 0.5, temperature: 2 };
  for (const [changes, isLookedAt, chosenBy] of [
    [{}, false, 'validation'],
    [{}, true, 'validation'],
    [{ warmStart: 'used@1' }, false, 'validation'],
    [{ warmStart: 'used@1' }, true, 'unknown'],
    [{ training: { ...request().training, distillation } }, true, 'unknown'],
  ] as const) {
    const { store, describe } = await setUp(t);
    await publish(store, 'used', {}, { digest: `sha256:${'b'.repeat(64)}`, testAccuracy: null });
    const { id } = await store.jobs.create({ ...request('middle'), ...changes } as never, untouched);
    const run = await startRun(store, id);
    await run.saveCheckpoint({ step: 7, epoch: 1, loss: 0.5 }, new Uint8Array(8));
    if (isLookedAt) await look(store, 'used');
    t.mock.timers.tick(1);
    const warmStart = { name: id, version: 7 };
    await publish(store, 'last', { warmStart }, { digest: `sha256:${'c'.repeat(64)}`, testAccuracy: null });
    assert.equal((await describe('last')).chosenBy, chosenBy, JSON.stringify([changes, isLookedAt]));
  }
});

test('the epochs of a job count as looks of the versions that start from its checkpoints', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const { store, service, describe } = await setUp(t);
  const { id } = await store.jobs.create(request('middle'), untouched);
  const circumstances = { dataset: { id: 'fashion-mnist', digest: fashion.digest } };
  const detectEnvironment = () => ({ ...circumstances, kernel: { name: 'k', digest: 'd' }, fused: true });
  const run = (await store.jobs.start(id, { detectEnvironment }))!;
  await run.recordEpochs(
    [1, 2].map((epoch) => ({ record: epochRecord(epoch, 0.5), warnings: [] })),
    underway,
  );
  await run.saveCheckpoint({ step: 7, epoch: 2, loss: 0.5 }, new Uint8Array(8));
  t.mock.timers.tick(1);
  assert.equal(await service.looksOfJob(id), 2);
  const model = { digest: `sha256:${'c'.repeat(64)}`, testAccuracy: null };
  await publish(store, 'last', { warmStart: { name: id, version: 7 } }, model);
  const { chosenBy, looks } = await describe('last');
  assert.deepEqual([chosenBy, looks.lineage], ['unknown', 2]);
});

test('the choice is unknown if the job of a checkpoint has been deleted', async (t) => {
  const { store, describe } = await setUp(t);
  const id = await newJob(store, 'running');
  await runOf(id).saveCheckpoint({ step: 7, epoch: 1, loss: 0.5 }, new Uint8Array(8));
  await publish(store, 'last', { warmStart: { name: id, version: 7 } }, { testAccuracy: null });
  assert.equal((await describe('last')).chosenBy, 'validation');
  await runOf(id).finish({ status: 'failed', step: 7, error: { code: 'internal-error', message: 'x' } });
  await store.jobs.remove(id);
  assert.equal((await describe('last')).chosenBy, 'unknown');
});
