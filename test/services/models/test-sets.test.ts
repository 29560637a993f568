import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import { createTestSetService } from '../../../src/services/models/test-sets.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { publish, request, temporaryStore, trained } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';

const images = { pixels: new Uint8Array(0), labels: new Uint8Array(100) };
const fashion: Dataset = {
  id: 'fashion-mnist',
  imageShape: [28, 28],
  classNames: ['a', 'b'],
  digest: trained.datasetDigest!,
  train: images,
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
