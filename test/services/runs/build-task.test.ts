/** The task of a training thread. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../../src/numerics/network/image-shape.ts';
import { createModelService } from '../../../src/services/models/catalog.ts';
import { buildTask } from '../../../src/services/runs/build-task.ts';
import { request, temporaryStore, trained, untouched } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';

test('a training that never measures the test split does not receive it', async (t) => {
  const store = await temporaryStore(t);
  const examples = { pixels: new Uint8Array(4 * 784), labels: Uint8Array.of(0, 1, 0, 1) };
  const digest = `sha256:${'0'.repeat(64)}`;
  const classNames = ['zero', 'one'];
  const catalog = catalogOf({
    id: 'fashion-mnist',
    imageShape: DEFAULT_IMAGE_SHAPE,
    classNames,
    train: examples,
    validation: null,
    learning: examples,
    test: examples,
    digest,
  });
  const models = createModelService(store, catalog);
  const services = { catalog, models, jobs: store.jobs, loadDistillation: async () => null };

  async function build(testSet: TrainingJob['testSet']) {
    const job = await store.jobs.create({ ...request(), testSet }, untouched);
    const task = await buildTask(job, null, null, services);
    return [task.test, task.testOnce];
  }
  assert.deepEqual(await build('every-epoch'), [examples, false]);
  assert.deepEqual(await build('once'), [examples, true]);
  assert.deepEqual(await build('never'), [null, false]);

  async function checks(
    gradientCheck: boolean,
    gradientCheckReport: TrainingJob['gradientCheckReport'] = null,
  ) {
    const job = await store.jobs.create({ ...request(), gradientCheck }, untouched);
    return (await buildTask({ ...job, gradientCheckReport }, null, null, services)).checkGradient;
  }
  const report = {
    passed: true,
    reason: null,
    advice: null,
    relativeError: 1e-9,
    tolerance: 1e-7,
    coordinates: 5,
    kinks: 0,
    kernel: null,
  };
  assert.equal(await checks(true), true);
  assert.equal(await checks(false), false);
  assert.equal(await checks(true, report), false, 'checked by an earlier run');
});

test('a training ends at its time budget, a reproduction at the step of the original, and a trial at its epoch', async (t) => {
  const store = await temporaryStore(t);
  const examples = { pixels: new Uint8Array(784), labels: new Uint8Array(1) };
  const digest = `sha256:${'0'.repeat(64)}`;
  const dataset = {
    id: 'fashion-mnist',
    classNames: ['a', 'b'],
    digest,
    train: examples,
    validation: null,
    learning: examples,
    test: examples,
  };
  const catalog = catalogOf({ ...dataset, imageShape: DEFAULT_IMAGE_SHAPE });
  const models = createModelService(store, catalog);
  const services = { catalog, models, jobs: store.jobs, loadDistillation: async () => null };
  const body = request();
  const timed = { ...body, training: { ...body.training, budget: { seconds: 5 } } };
  const job = await store.jobs.create(timed, untouched);
  const ends = async (each: TrainingJob, epoch: number | null) => {
    const { plan, stopAfterEpoch, budgetSeconds } = await buildTask(each, null, epoch, services);
    return [plan.stopAtStep, stopAfterEpoch, budgetSeconds];
  };
  assert.deepEqual(await ends(job, null), [null, null, 5]);
  // Three of ten epochs of 844 steps.
  assert.deepEqual(await ends(job, 3), [2532, null, 5]);
  assert.deepEqual(await ends({ ...job, search: { id: 'sea_1', trial: 1 } }, 3), [null, 3, 5]);
  assert.deepEqual(await ends({ ...job, search: { id: 'sea_1', trial: null } }, 3), [2532, null, 5]);

  const environment = {
    dataset: { id: 'fashion-mnist', digest },
    kernel: { name: 'k', digest: '' },
    fused: true,
  };
  const run = await store.jobs.start(job.id, { detectEnvironment: () => environment });
  await run!.finish({ status: 'succeeded', step: 77, reason: 'budget', model: trained });
  const target = { of: job.id, expected: '', kernel: environment.kernel, fused: true };
  const again = await store.jobs.create(timed, untouched, { target });
  assert.deepEqual(await ends(again, null), [77, null, null]);
});
