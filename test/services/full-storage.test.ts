/** Training while the disk is temporarily full. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCatalog } from '../../src/datasets/catalog.ts';
import { loadFashionMnist } from '../../src/datasets/fashion-mnist.ts';
import { trainingRequestSchema } from '../../src/domain/training-job.ts';
import { createMemoryLedger } from '../../src/services/memory-ledger.ts';
import { createModelService } from '../../src/services/models.ts';
import { createRunTraining } from '../../src/services/run-training.ts';
import { storageFull } from '../../src/store/directory.ts';
import type { Run, Store } from '../../src/store/store.ts';
import { tiny } from '../start-service.ts';
import { temporaryStore, untouched } from '../store/fixtures.ts';

test('a job that waited for disk space records one event, before the delayed ones, and loses nothing', async (t) => {
  const store = await temporaryStore(t);
  const catalog = createCatalog([await loadFashionMnist('data')]);
  const models = createModelService(store, catalog);
  let refusals = 1;
  const start: Store['jobs']['start'] = async (...job) => {
    const run = (await store.jobs.start(...job))!;
    const recordEpoch: Run['recordEpoch'] = async (...epoch) => {
      if (refusals-- > 0) throw storageFull('an epoch', null);
      return run.recordEpoch(...epoch);
    };
    return { ...run, recordEpoch };
  };
  const run = createRunTraining({
    store: { ...store, jobs: { ...store.jobs, start } },
    catalog,
    models,
    memory: createMemoryLedger(),
    log: { info() {}, warn() {}, error() {} },
  });
  const request = { ...trainingRequestSchema.parse({ ...tiny(), seed: 7 }), modelName: 'waited' };
  const { id } = await store.jobs.create(request, untouched);
  await run(id, new AbortController().signal, new AbortController().signal);

  assert.equal((await store.jobs.get(id))?.status, 'succeeded');
  const { data } = await store.events.list(id, { limit: 100 });
  const told = data.filter(({ type }) => type === 'warning' || type === 'epoch');
  assert.deepEqual(
    told.map(({ type }) => type),
    ['warning', 'epoch'],
  );
  assert.equal(told[0]!.data['code'], 'storage-full');
  assert.match(String(told[0]!.data['message']), /could not be stored for \d+ s\. /);
});
