import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import type { ResolvedTrainingRequest } from '../../../src/domain/jobs/request.ts';
import { completeRun } from '../../../src/services/runs/complete.ts';
import { epochRecord, publish, request, startRun, temporaryStore, untouched } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';

const images = { pixels: new Uint8Array(0), labels: Uint8Array.from({ length: 40 }, (_, n) => n % 2) };
const fashion: Dataset = {
  id: 'fashion-mnist',
  imageShape: [28, 28],
  classNames: ['a', 'b'],
  digest: `sha256:${'d'.repeat(64)}`,
  train: images,
  validation: null,
  learning: images,
  test: images,
};
type Context = Parameters<typeof completeRun>[2];
type Judged = Awaited<ReturnType<Context['judge']>>;

/** Completes a run whose first epoch has this record. */
async function complete(
  t: TestContext,
  changes: Partial<ResolvedTrainingRequest>,
  figures: { trainLoss?: number; validationAccuracy?: number } = {},
  options: { tested?: number; judge?: () => Promise<Judged>; isVerification?: boolean } = {},
) {
  const store = await temporaryStore(t);
  await publish(store, 'shoes');
  const target = { of: '', expected: '', kernel: { name: 'k', digest: 'd' }, fused: true };
  const [first] = (await store.jobs.list({ limit: 1 })).data;
  const verified = options.isVerification ? { target: { ...target, of: first!.id } } : {};
  const { id } = await store.jobs.create({ ...request('shoes'), ...changes }, untouched, verified);
  const run = await startRun(store, id);
  const record = { ...epochRecord(1, 0.5), validationAccuracy: 0.9, ...figures };
  await run.recordEpochs([{ record, warnings: [] }], { ...untouched, epoch: 1 });
  let invalidations = 0;
  const published: unknown[] = [];
  const error = await completeRun(
    run,
    {
      kind: 'completed',
      step: 8,
      result: {
        parameters: new Float32Array(4),
        epoch: 1,
        tested: options.tested === undefined ? null : { accuracy: options.tested },
        engine: 'kernel',
        fused: true,
        standardization: null,
        stoppedAt: { step: 8, reason: 'completed' },
      },
    } as unknown as Parameters<typeof completeRun>[1],
    {
      store,
      catalog: catalogOf(fashion),
      models: { invalidate: () => invalidations++ } as unknown as Context['models'],
      judge: options.judge ?? (() => assert.fail('nothing to compare')),
      onPublished: (version) => published.push(version),
    },
  );
  const job = (await store.jobs.get(id))!;
  return { error, job, published, invalidations, version: await store.models.version('shoes', 2) };
}

test('a training that has learned is published with the accuracy of its epoch', async (t) => {
  const { error, job, published, invalidations, version } = await complete(t, {});
  assert.deepEqual([error, job.status, job.model], [null, 'succeeded', { name: 'shoes', version: 2 }]);
  assert.equal(published.length, 1);
  assert.equal(invalidations, 1);
  assert.deepEqual(
    [version!.testAccuracy, version!.classNames, version!.layers],
    [0.85, ['a', 'b'], '784-40-2'],
  );
  const measured = await complete(t, {}, {}, { tested: 0.5 });
  assert.equal(measured.version!.testAccuracy, 0.5);
});

test('a training that has not learned is published only if this is asked for', async (t) => {
  const publishes = { promote: 'never', evenIfNotLearned: true } as const;
  const figures = { validationAccuracy: 0.5 };
  const { job, published, version } = await complete(t, {}, figures);
  assert.deepEqual([job.status, job.model, published, version], ['succeeded', null, [], undefined]);
  assert.match(job.publication!.reason, /^The training did not learn, /);
  assert.ok((await complete(t, { publish: publishes }, figures)).version);
});

test('a training whose loss is a hundred times that of a guess has diverged', async (t) => {
  const { error, job, published } = await complete(t, {}, { trainLoss: 70 });
  assert.equal(error?.code, 'loss-diverged');
  assert.match(error!.message, /the training loss of epoch 1 was 70\.0; a uniform guess has 0\.693\. Lower /);
  assert.deepEqual([job.status, published], ['running', []]);
  const { error: none } = await complete(t, {}, { trainLoss: 69 });
  assert.equal(none, null);
});

test('a verification publishes nothing, and may have diverged', async (t) => {
  const { error, job, published, version } = await complete(
    t,
    {},
    { trainLoss: 70 },
    { isVerification: true },
  );
  assert.deepEqual([error, job.status, published, version], [null, 'succeeded', [], undefined]);
  assert.ok(job.digest, 'its digest is compared');
});

test('a result is compared with the champion, and again if another one has taken its place', async (t) => {
  const publishes = { promote: 'if-better', evenIfNotLearned: false } as const;
  const judged: number[] = [];
  const judge = async () => {
    // Version 9 was the champion at the first comparison.
    judged.push(judged.length === 0 ? 9 : 1);
    return { champion: judged.at(-1)!, comparison: null, reason: 'They cannot be compared.' };
  };
  const { job, invalidations } = await complete(t, { publish: publishes }, {}, { judge });
  assert.deepEqual(judged, [9, 1]);
  assert.deepEqual([job.publication!.promoted, job.publication!.version], [false, 2]);
  assert.ok(invalidations >= 1);
  const unlearned = await complete(t, { publish: publishes }, { validationAccuracy: 0.5 });
  assert.equal(unlearned.job.model, null);
});
