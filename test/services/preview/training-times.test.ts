/** Prediction of training times from timed steps and from the epochs of earlier jobs. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtelierError } from '../../../src/errors.ts';
import { type Architecture, layerSizes as layerSizesOf } from '../../../src/numerics/network/architecture.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../../src/numerics/network/image-shape.ts';
import { evaluationMicroseconds } from '../../../src/numerics/training/kernel-time.ts';
import { createTrainingTimes } from '../../../src/services/preview/training-times.ts';
import { usableThreads } from '../../../src/services/training/usable-threads.ts';
import type { NumericPool } from '../../../src/workers/pools.ts';
import type { TrainingTimes, TrainingTimesTask } from '../../../src/workers/tasks/time-training.ts';
import { stripes } from '../../numerics/fixtures.ts';
import { epochRecord, publish, request, temporaryStore, untouched } from '../../store/fixtures.ts';
import { dense } from '../../support/dense.ts';

const TRUE_TIMES: TrainingTimes = { training: 2, evaluation: 1 };
const examples = stripes(600, 784, 3);
const dataset = {
  id: 'fashion-mnist',
  imageShape: DEFAULT_IMAGE_SHAPE,
  classNames: ['a', 'b', 'c'],
  digest: 'd',
  train: examples,
  validation: null,
  learning: examples,
  test: examples,
};

test('measures the steps again if a training was faster than measured', async (t) => {
  const store = await temporaryStore(t);
  let timings = 0;
  const numeric = {
    // The first timing is disturbed.
    run: async () => ({ ...TRUE_TIMES, training: timings++ === 0 ? 40 : TRUE_TIMES.training }),
  } as unknown as NumericPool;
  const predict = createTrainingTimes({ ...store, numeric, hasTargets: () => false });
  const body = request();
  const run = () => predict(body, dataset, new AbortController().signal);
  const disturbed = await run();
  assert.equal(disturbed.basis.kind, 'calibrated');

  const trained = 540;
  const durationMs = (trained * TRUE_TIMES.training) / 1000;
  const { id } = await store.jobs.create(body, untouched);
  const job = await store.jobs.start(id);
  for (const epoch of [1, 2, 3]) {
    const evaluationMs = ((660 + trained) * TRUE_TIMES.evaluation) / 1000;
    const record = { ...epochRecord(epoch, 0.4), durationMs, evaluationMs };
    await job!.recordEpochs([{ record, warnings: [] }], { ...untouched, epoch });
  }
  const corrected = await run();
  assert.equal(timings, 2);
  assert.ok(Math.abs(corrected.basis.ratio - 1) < 0.01, String(corrected.basis.ratio));
  assert.ok(corrected.trainingSeconds < disturbed.trainingSeconds / 10);
  assert.ok(corrected.seconds < 0.25);
  assert.equal(corrected.low, 0, 'a training cannot take less than no time');
  await run();
  assert.equal(timings, 2, 'the second timing is kept');
});

test('steps are timed in the threads of the training, and again for other threads', async (t) => {
  const store = await temporaryStore(t);
  const timed: number[] = [];
  const run = async (_: string, { threads }: TrainingTimesTask) => {
    timed.push(threads);
    // A second thread gains nothing here.
    return TRUE_TIMES;
  };
  const predict = createTrainingTimes({ ...store, numeric: { run } as NumericPool, hasTargets: () => false });
  const seconds: number[] = [];
  for (const threads of [1, 2, 2, 1]) {
    const body = { ...request(), training: { ...request().training, threads } };
    const { trainingSeconds } = await predict(body, dataset, new AbortController().signal);
    seconds.push(trainingSeconds);
  }
  assert.deepEqual(timed, [1, usableThreads(2)].slice(0, usableThreads(2)));
  assert.equal(new Set(seconds).size, 1);
});

test('the estimate is that of the median of earlier epochs, whatever their order', async (t) => {
  const store = await temporaryStore(t);
  const numeric = { run: async () => TRUE_TIMES } as unknown as NumericPool;
  const predict = createTrainingTimes({ ...store, numeric, hasTargets: () => false });
  const body = request();
  const { id } = await store.jobs.create(body, untouched);
  const job = await store.jobs.start(id);
  // The first epoch is left out.
  for (const [i, slowness] of [9, 1, 4, 2, 5, 3].entries()) {
    const durationMs = (slowness * 540 * TRUE_TIMES.training) / 1000;
    const evaluationMs = (slowness * (660 + 540) * TRUE_TIMES.evaluation) / 1000;
    const record = { ...epochRecord(i + 1, 0.4), durationMs, evaluationMs };
    await job!.recordEpochs([{ record, warnings: [] }], { ...untouched, epoch: i + 1 });
  }
  const { basis, ...time } = await predict(body, dataset, new AbortController().signal);
  assert.equal(basis.kind, 'measured-here');
  assert.ok(Math.abs(basis.ratio - 3) < 0.01, `${basis.ratio}`);
  const beforeSeconds = time.startSeconds + time.gradientCheckSeconds;
  for (const [quantile, uncertain, actual] of [
    [1.4, -0.25, time.low],
    [4.6, 0.25, time.high],
  ] as const) {
    const epochsSeconds = (quantile / 3) * (time.trainingSeconds + time.evaluationSeconds);
    const expected = beforeSeconds + epochsSeconds + uncertain;
    assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} instead of ${expected}`);
  }
});

test('a training with teachers begins once they have predicted every image, unless that is in memory', async (t) => {
  const store = await temporaryStore(t);
  await publish(store, 'teacher');
  const { digest } = (await store.models.version('teacher', 1))!;
  const numeric = { run: async () => TRUE_TIMES } as unknown as NumericPool;
  const asked: unknown[] = [];
  let isInMemory = false;
  const predict = createTrainingTimes({
    ...store,
    numeric,
    hasTargets: (data, teachers) => {
      asked.push([data.digest, teachers.map((each) => each.digest)]);
      return isInMemory;
    },
  });
  const { training, ...rest } = request();
  const run = (teachers: number) => {
    const teacher = { name: 'teacher', version: 1 };
    const distillation = teachers === 0 ? null : { teachers: Array(teachers).fill(teacher), weight: 0.5 };
    return predict(
      { ...rest, training: { ...training, epochs: 1000, distillation } },
      dataset,
      new AbortController().signal,
    );
  };
  const [none, one, two] = [await run(0), await run(1), await run(2)];
  const seconds = (600 * TRUE_TIMES.evaluation) / 1e6;
  const beforeSeconds = none.startSeconds + none.gradientCheckSeconds;
  const epochsSeconds = none.trainingSeconds + none.evaluationSeconds;
  assert.ok(Math.abs(none.low - beforeSeconds - 0.8 * epochsSeconds + 0.25) < 1e-12);
  assert.ok(Math.abs(none.high - beforeSeconds - 1.25 * epochsSeconds - 0.25) < 1e-12);
  for (const [timed, count] of [
    [one, 1],
    [two, 2],
  ] as const) {
    assert.ok(Math.abs(timed.startSeconds - none.startSeconds - count * seconds) < 1e-12);
    assert.ok(Math.abs(timed.seconds - none.seconds - count * seconds) < 1e-12);
    assert.ok(Math.abs(timed.low - none.low - 0.8 * count * seconds) < 1e-12);
    assert.ok(Math.abs(timed.high - none.high - 1.25 * count * seconds) < 1e-12);
  }
  isInMemory = true;
  assert.equal((await run(2)).startSeconds, none.startSeconds);
  assert.deepEqual(asked.at(-1), ['d', [digest, digest]]);
});

test('teachers are timed as the networks that they are, and modelled if the service is too busy', async (t) => {
  const store = await temporaryStore(t);
  await publish(store, 'teacher');
  const { layerSizes } = (await store.models.version('teacher', 1))!;
  const timed: string[] = [];
  let isBusy = false;
  const run = async (_: string, { plan }: { plan: { architecture: Architecture } }) => {
    timed.push(layerSizesOf(plan.architecture).join('-'));
    if (isBusy) throw new AtelierError('overloaded', 'Busy.');
    return TRUE_TIMES;
  };
  const numeric = { run } as unknown as NumericPool;
  const plain = request();
  const body = { ...plain, network: { ...plain.network, hidden: [8] } };
  const training = {
    ...body.training,
    distillation: { teachers: [{ name: 'teacher', version: 1 }], weight: 1 },
  };
  const seconds = async () => {
    const predict = createTrainingTimes({ ...store, numeric, hasTargets: () => false });
    const signal = new AbortController().signal;
    const [without, distilled] = [
      await predict(body, dataset, signal),
      await predict({ ...body, training }, dataset, signal),
    ];
    return distilled.startSeconds - without.startSeconds;
  };
  await seconds();
  assert.deepEqual(timed, ['784-8-3', '784-40-3']);
  isBusy = true;
  const modelled = (600 * evaluationMicroseconds(dense(layerSizes))) / 1e6;
  assert.ok(Math.abs((await seconds()) - modelled) < 1e-12);
});

test('a large network is timed with half of its units and channels, as often as necessary', async (t) => {
  const store = await temporaryStore(t);
  const timed: Architecture[] = [];
  const run = async (_: string, { plan }: { plan: { architecture: Architecture } }) => {
    timed.push(plan.architecture);
    return TRUE_TIMES;
  };
  const numeric = { run } as unknown as NumericPool;
  const predict = createTrainingTimes({ ...store, numeric, hasTargets: () => false });
  const { network, ...rest } = request();
  const { signal } = new AbortController();
  await predict(
    { ...rest, network: { ...network, convolutions: [12, [20, 20]], hidden: [8191, 511] } },
    dataset,
    signal,
  );
  // 7 · 7 · 20 · 8191 weights are above two million, and so are 7 · 7 · 12 · 4096; 7 · 7 · 8 · 2048 are not.
  const [{ convolutions, hidden }] = timed as [Architecture];
  assert.deepEqual(
    [convolutions, hidden],
    [
      [[4], [8, 8]],
      [2048, 128],
    ],
  );
});
