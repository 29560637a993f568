import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { AtelierError } from '../../../src/errors.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../../src/numerics/network/image-shape.ts';
import { createModelService } from '../../../src/services/models/catalog.ts';
import { prepareReproduction, reproductionOptions } from '../../../src/services/training/reproduction.ts';
import { failure, request, temporaryStore, trained, untouched } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';

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

  const catalog = catalogOf();
  await assert.rejects(
    prepareReproduction(job, catalog, createModelService(store, catalog)),
    failure('impossible-request', id, 'another kernel'),
  );
});

const digits: Dataset = {
  id: 'fashion-mnist',
  imageShape: DEFAULT_IMAGE_SHAPE,
  classNames: ['zero', 'one'],
  digest: 'sha256:d',
  train: { pixels: new Uint8Array(784), labels: new Uint8Array(1) },
  validation: null,
  learning: { pixels: new Uint8Array(784), labels: new Uint8Array(1) },
  test: { pixels: new Uint8Array(784), labels: new Uint8Array(1) },
};

/** A store with a job that has succeeded. */
async function succeeded(t: TestContext, reason: 'completed' | 'budget' = 'completed') {
  const store = await temporaryStore(t);
  const { id } = await store.jobs.create(request(), untouched);
  const run = (await store.jobs.start(id, environment(true)))!;
  const job = await run.finish({ status: 'succeeded', step: 8, reason, model: trained });
  return { store, job: job as TrainingJob, receipt: job.receipt! };
}

test('prepares the same training, on the same kernel, with the digest to compare', async (t) => {
  const { store, job, receipt } = await succeeded(t);
  const catalog = catalogOf(digits);
  assert.deepEqual(await prepareReproduction(job, catalog, createModelService(store, catalog)), {
    request: receipt.request,
    dataset: digits,
    target: { of: job.id, expected: trained.digest, kernel, fused: true },
  });
});

test('rejects the verification of a job that cannot be repeated, with the reason', async (t) => {
  const { store, job, receipt } = await succeeded(t);
  const training = { ...request().training, distillation: { weight: 1, teachers: ['gone@1'] } };
  const withRequest = (changes: object) => ({
    ...job,
    receipt: { ...receipt, request: { ...receipt.request, ...changes } },
  });
  const { id } = job;
  for (const [changed, dataset, code, message] of [
    [{ ...job, status: 'running' }, digits, 'illegal-transition', `${id} is running and cannot be verified`],
    [{ ...job, digest: null }, digits, 'illegal-transition', `${id} is succeeded and cannot be verified`],
    [{ ...job, receipt: null }, digits, 'impossible-request', `${id} has no receipt`],
    [job, undefined, 'impossible-request', 'with digest sha256:d. That data set no longer exists.'],
    [job, { ...digits, digest: 'sha256:e' }, 'impossible-request', 'set now has digest sha256:e. Only'],
    [
      withRequest({ warmStart: 'gone@1' }),
      digits,
      'impossible-request',
      `${id} cannot be repeated, because its warm start no longer exists. Model gone`,
    ],
    [
      withRequest({ training }),
      digits,
      'impossible-request',
      `${id} cannot be repeated, because one of its teachers no longer exists. Model gone`,
    ],
  ] as const) {
    const catalog = catalogOf(...(dataset ? [dataset] : []));
    const preparing = prepareReproduction(changed, catalog, createModelService(store, catalog));
    await assert.rejects(preparing, failure(code, message));
  }
});

test('an outage of the storage does not count as a missing warm start', async (t) => {
  const { store, job, receipt } = await succeeded(t);
  const warm = { ...job, receipt: { ...receipt, request: { ...receipt.request, warmStart: 'a@1' } } };
  const catalog = catalogOf(digits);
  for (const error of [new AtelierError('storage-unavailable', 'Away.'), new TypeError('a defect')]) {
    const models = { ...createModelService(store, catalog), load: () => Promise.reject(error) };
    await assert.rejects(prepareReproduction(warm, catalog, models), error);
  }
});

test('a training that its time budget ended is repeated up to the same step', async (t) => {
  for (const [reason, stopAtStep] of [
    ['budget', 8],
    ['completed', null],
  ] as const) {
    const { store, job } = await succeeded(t, reason);
    const target = { of: job.id, expected: trained.digest, kernel, fused: true };
    const again = await store.jobs.create(request(), untouched, { target });
    assert.deepEqual(await reproductionOptions(again, digits, store.jobs), { stopAtStep });
    assert.equal(await reproductionOptions(job, digits, store.jobs), null, 'the job itself');
    const changed = { ...digits, digest: 'sha256:e' };
    await assert.rejects(
      reproductionOptions(again, changed, store.jobs),
      failure('impossible-request', `${job.id} was trained on data set fashion-mnist with digest sha256:d`),
    );
  }
});
