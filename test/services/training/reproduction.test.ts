import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCatalog } from '../../../src/datasets/catalog.ts';
import { createModelService } from '../../../src/services/models/catalog.ts';
import { prepareReproduction } from '../../../src/services/training/reproduction.ts';
import { failure, request, temporaryStore, trained, untouched } from '../../store/fixtures.ts';

const kernel = { name: 'simd-float32', digest: 'sha256:k' };
const environment = (fused: boolean) => ({
  detectEnvironment: () => ({ dataset: { id: 'fashion-mnist', digest: 'sha256:d' }, kernel, fused }),
});

test('a job that ran in two environments cannot be verified, and a verification that did names both', async (t) => {
  const store = await temporaryStore(t);
  const { id: of } = await store.jobs.create(request(), untouched);
  const target = { of, expected: trained.digest, kernel, fused: false };
  const { id } = await store.jobs.create(request(), untouched, { target });
  const first = (await store.jobs.start(id, environment(true)))!;
  await first.saveCheckpoint({ step: 1, epoch: 1, loss: null }, new Uint8Array(8));
  await first.release();
  const second = (await store.jobs.start(id, environment(false)))!;
  const model = { ...trained, digest: `sha256:${'b'.repeat(64)}` };
  const job = await second.finish({ status: 'succeeded', step: 2, reason: 'completed', model });
  const { agrees, sameKernel, sameProcessor } = job.verification!;
  assert.deepEqual([agrees, sameKernel, sameProcessor], [false, true, false]);

  const catalog = createCatalog([]);
  await assert.rejects(
    prepareReproduction(job, catalog, createModelService(store, catalog)),
    failure('impossible-request', id, 'another kernel'),
  );
});
