import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResolvedTrainingRequest } from '../../../src/domain/jobs/request.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../../src/numerics/network/image-shape.ts';
import { createMemoryLedger } from '../../../src/services/memory/ledger.ts';
import { trainingJobBytes } from '../../../src/services/memory/limits.ts';
import { createModelService } from '../../../src/services/models/catalog.ts';
import { createPreviewTraining } from '../../../src/services/preview/training-jobs.ts';
import { createTrainingTimes } from '../../../src/services/preview/training-times.ts';
import { createResolveTraining } from '../../../src/services/training/resolve-request.ts';
import { createNumericPool } from '../../../src/workers/pools.ts';
import { stripes } from '../../numerics/fixtures.ts';
import { epochRecord, request, temporaryStore, untouched } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';
import { startService, tiny, train } from '../../support/start-service.ts';

test('a preview has the size of the job, and learns its duration and its place from other jobs', async (t) => {
  const store = await temporaryStore(t);
  const numeric = createNumericPool();
  t.after(() => numeric.close());
  const [train, classNames] = [stripes(600, 784, 3), ['a', 'b', 'c']];
  const catalog = catalogOf({
    id: 'fashion-mnist',
    imageShape: DEFAULT_IMAGE_SHAPE,
    classNames,
    digest: 'd',
    train,
    validation: null,
    learning: train,
    test: stripes(90, 784, 3),
  });
  const memory = createMemoryLedger({ limit: 2 ** 33 });
  const capacity = { slots: 1, jobBytes: memory.jobBudget };
  const preview = createPreviewTraining({
    resolve: createResolveTraining({
      catalog,
      models: createModelService(store, catalog),
      memory,
      keepCheckpoints: 'last',
      assertWebhookAllowed: () => {},
    }),
    predictTime: createTrainingTimes({ ...store, numeric, hasTargets: () => false }),
    jobs: store.jobs,
    catalog,
    memory,
    queueLimit: 2,
    capacity: () => capacity,
  });
  const run = (changes: Partial<ResolvedTrainingRequest> = {}) =>
    preview({ ...request(), ...changes }, new AbortController().signal);

  const body = request();
  const { time, queue, ...first } = await run({
    testSet: 'never',
    training: { ...body.training, threads: 64, budget: { seconds: 1e-6 } },
  });
  const { warnings, request: resolved, memory: bytes, ...sizes } = first;
  assert.deepEqual(sizes, {
    network: { layers: '784-40-3', layerSizes: [784, 40, 3], parameters: 31_523, multiplyAdds: 31_480 },
    data: { train: 540, validation: 60, test: 90, testSet: 'never' },
    steps: { perEpoch: 9, total: 90 },
    suggested: { epochs: 60, batchSize: 16 },
  });
  assert.equal(resolved.training.keepCheckpoints, 'last');
  assert.equal(bytes.bytes, trainingJobBytes(resolved, catalog));
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['more-threads-than-cores', 'budget-ends-training', 'few-steps'],
  );
  assert.match(
    warnings[0]!.message,
    /^On this machine, the job uses \d+ threads?, because it has \d+ cores?\./,
  );
  assert.match(warnings[1]!.message, /after about 0 of 10 epochs/);
  assert.equal(warnings[2]!.message, '90 steps: likely too few. Suggested: epochs 60, batch size 16.');
  const followed = await run({ training: { ...body.training, ...sizes.suggested } });
  assert.deepEqual([followed.suggested, followed.warnings], [null, []]);
  assert.deepEqual(queue, { ahead: 0, startsInSeconds: 0 });
  assert.deepEqual(time.basis, { kind: 'calibrated', jobs: 0, epochs: 0, ratio: 1 });
  assert.ok(time.seconds < time.trainingSeconds + time.evaluationSeconds + 1, 'the budget counts');

  const alone = (await run()).time;
  // The start and the end, which are uncertain, hardly count.
  const long = { training: { ...body.training, epochs: 10_000 } };
  const longAlone = (await run(long)).time;
  const { id } = await store.jobs.create(request(), untouched);
  const job = await store.jobs.start(id);
  const predictedMs = (1000 * (alone.trainingSeconds + alone.evaluationSeconds)) / 10;
  for (const [n, factor] of [50, 1.5, 2, 2, 2, 2.5].entries()) {
    const record = { ...epochRecord(n + 1, 0.4), durationMs: factor * predictedMs, evaluationMs: 0 };
    await job!.recordEpochs([{ record, warnings: [] }], { ...untouched, epoch: n + 1 });
  }
  const learned = (await run()).time;
  const { ratio, ...basis } = learned.basis;
  assert.deepEqual(basis, { kind: 'measured-here', jobs: 1, epochs: 5 });
  assert.ok(Math.abs(ratio - 2) < 1e-9, 'the first epoch, slow by its start, does not count');
  for (const key of ['trainingSeconds', 'gradientCheckSeconds', 'startSeconds'] as const) {
    assert.ok(Math.abs(learned[key] - 2 * alone[key]) < 1e-9, key);
  }
  assert.ok(alone.seconds < learned.seconds && learned.seconds + 0.25 < learned.high);
  const { seconds, low, high } = (await run(long)).time;
  assert.ok(longAlone.seconds < low && low < seconds && seconds < high);

  await store.jobs.create({ ...request(), priority: 1 }, untouched);
  await store.jobs.create(request(), untouched);
  const [usual, urgent, first_] = [await run(), await run({ priority: 1 }), await run({ priority: 2 })];
  assert.deepEqual(
    [usual, urgent, first_].map((each) => each.queue.ahead),
    [2, 1, 0],
  );
  const waits = [first_, urgent, usual].map((each) => each.queue.startsInSeconds!);
  assert.equal(waits[0], 0, 'the running job stops for it');
  assert.ok(waits[1]! > 0 && waits[2]! > waits[1]!, String(waits));
  assert.deepEqual(
    usual.warnings.map(({ code }) => code),
    ['queue-full', 'few-steps'],
  );

  await job!.recordProgress({ ...untouched, step: 1, etaSeconds: 4000 });
  await job!.release();
  const { startsInSeconds } = (await run()).queue;
  assert.ok(startsInSeconds! > 4000 && startsInSeconds! < 4000 + waits[2]!, String(startsInSeconds));

  capacity.slots = 4;
  let cached = memory.budget;
  memory.addCache({
    bytes: () => cached,
    evict: () => {
      cached = 0;
    },
  });
  const all = await run();
  assert.equal(all.queue.startsInSeconds, 0, 'each job has a slot');
  const codes = async () => (await run()).warnings.map(({ code }) => code);
  assert.deepEqual(await codes(), ['queue-full', 'few-steps'], 'the cache makes room');
  capacity.jobBytes = 1.5 * all.memory.bytes;
  assert.equal((await run()).queue.startsInSeconds, startsInSeconds, 'memory allows only one at once');
  memory.reserveForJob(memory.jobBudget);
  assert.deepEqual(await codes(), ['waits-for-memory', 'queue-full', 'few-steps']);
});

test('a preview estimates the size of the checkpoints of the job', async (t) => {
  const { app } = await startService(t, { TRAINING_WORKERS: '1' });
  for (const restoreBest of [false, true]) {
    const body = tiny();
    const payload = { ...body, training: { ...body.training, earlyStopping: { restoreBest } } };
    const previewed = await app.inject({ method: 'POST', url: '/v1/training-jobs/preview', payload });
    assert.equal(previewed.statusCode, 200, previewed.body);
    const { id } = await train(app, payload);
    const [checkpoint] = (await app.inject(`/v1/training-jobs/${id}/checkpoints`)).json().data;
    const excess = previewed.json().memory.checkpointBytes - checkpoint.bytes;
    assert.ok(Math.abs(excess) < 200, `${excess} bytes more than the checkpoint, restoreBest ${restoreBest}`);
  }
});
