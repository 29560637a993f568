/** Looks at test splits. */
import assert from 'node:assert/strict';
import type { ExecutionEnvironment } from '../../../src/domain/training/reproducibility.ts';
import { type Look, networkSubject } from '../../../src/store/models/looks.ts';
import type { Run, Store } from '../../../src/store/persistent-state.ts';
import { epochRecord, request, temporaryStore, trained, underway, untouched } from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

const DIGEST = trained.datasetDigest!;
const kernel = { name: 'simd-float32', digest: 'sha256:code' };
const environment: ExecutionEnvironment = { dataset: { id: 'any', digest: DIGEST }, kernel, fused: true };
const unmeasured = { testLoss: null, testAccuracy: null };

/** A look at the result of the network whose digest is the digit `n`. */
const look = (n: string): Look => ({
  datasetDigest: DIGEST,
  kind: 'evaluation',
  network: { ...trained, digest: `sha256:${n.repeat(64)}` },
  caller: 'ci',
});

type Target = NonNullable<Parameters<Store['jobs']['create']>[2]>['target'];

async function start(store: Store, changes: object = {}, target?: Target): Promise<Run> {
  const job = await store.jobs.create({ ...request('looked'), ...changes }, untouched, {
    queueLimit: 100,
    ...(target && { target }),
  });
  return (await store.jobs.start(job.id, { detectEnvironment: () => environment }))!;
}

const succeed = (run: Run, n: string, testAccuracy: number | null) =>
  run.finish({
    status: 'succeeded',
    step: 1,
    reason: 'completed',
    model: { ...trained, digest: look(n).network.digest, testAccuracy },
  });

storeTest('each measured epoch counts as one look, but its version and a verification do not', async (t) => {
  const store = await temporaryStore(t);
  const total = () => store.looks.total(DIGEST);
  assert.equal(await total(), 0);
  const run = await start(store);
  for (const epoch of [1, 2, 2])
    await run.recordEpochs([{ record: epochRecord(epoch, 0.5), warnings: [] }], underway);
  const broken = { ...epochRecord(3, 0.5), trainLoss: Number.NaN };
  await assert.rejects(run.recordEpochs([{ record: broken, warnings: [] }], underway));
  assert.deepEqual([await total(), await store.looks.ofJob(run.job.id)], [2, 2]);

  const { model, digest } = await succeed(run, 'a', 0.85);
  await store.looks.record([look('a')]);
  assert.equal(await total(), 2);
  const version = (await store.models.version('looked', model!.version))!;
  const subjects = [run.job.id, networkSubject(version)];
  assert.deepEqual(await store.looks.ofVersion(DIGEST, version.createdAt, subjects), {
    total: 2,
    before: 2,
    lineage: 2,
    lineageBefore: 2,
  });

  const target = { of: run.job.id, expected: digest!, kernel, fused: true };
  const repetition = await start(store, {}, target);
  await repetition.recordEpochs([{ record: epochRecord(1, 0.5), warnings: [] }], underway);
  await succeed(repetition, 'a', 0.85);
  assert.equal(await total(), 2);
  await store.models.copy({ name: 'looked', version: 1 }, 'copied');
  await store.jobs.remove(repetition.job.id);
  await store.jobs.remove(run.job.id);
  assert.equal(await total(), 2);
  assert.equal(await store.looks.total(`sha256:${'0'.repeat(64)}`), 0);
});

storeTest('a result that is measured once, an import and each evaluated network count once', async (t) => {
  const store = await temporaryStore(t);
  const total = () => store.looks.total(DIGEST);
  const once = await start(store, { testSet: 'once' });
  await once.recordEpochs([{ record: { ...epochRecord(1, 0.5), ...unmeasured }, warnings: [] }], underway);
  assert.equal(await total(), 0);
  const { model } = await succeed(once, 'a', 0.85);
  const version = (await store.models.version('looked', model!.version))!;
  const subjects = [once.job.id, networkSubject(version)];
  assert.deepEqual(await store.looks.ofVersion(DIGEST, version.createdAt, subjects), {
    total: 1,
    before: 0,
    lineage: 1,
    lineageBefore: 0,
  });

  const never = await start(store, { testSet: 'never' });
  await succeed(never, 'b', null);
  assert.equal(await total(), 1);
  // As two processes that evaluate the same versions at the same time.
  await Promise.all([store.looks.record([look('b'), look('c')]), store.looks.record([look('c'), look('b')])]);
  await store.looks.record([look('a'), look('b')]);
  assert.equal(await total(), 3);

  const origin = { source: 'sklearn', fileDigest: DIGEST, rounded: 0, assumed: [] } as const;
  const file = { imported: { ...origin, assumed: [] }, metadata: {}, caller: 'ci' };
  const imported = { ...trained, ...file, name: 'imported' };
  await store.models.publish({ ...imported, digest: look('d').network.digest });
  await store.models.publish({ ...imported, digest: look('d').network.digest });
  await store.models.publish({ ...imported, digest: look('e').network.digest, testAccuracy: null });
  assert.equal(await total(), 4);
  await store.looks.record([{ ...look('d'), network: { ...look('d').network, activation: 'tanh' } }]);
  assert.equal(await total(), 5);
});

storeTest('looks at data sets with the same test split are counted together, in any order', async (t) => {
  const { looks } = await temporaryStore(t);
  const digestOf = (digit: string) => `sha256:${digit.repeat(64)}`;
  const [one, other, apart] = [digestOf('1'), digestOf('2'), digestOf('3')] as const;
  await looks.record([{ ...look('a'), datasetDigest: one }]);
  await looks.record([{ ...look('b'), datasetDigest: other }]);
  const counts = () => Promise.all([one, other, apart].map((digest) => looks.total(digest)));
  assert.deepEqual(await counts(), [1, 1, 0]);
  await looks.recordTestSplit({ datasetDigest: one, testDigest: digestOf('a') });
  assert.deepEqual([await looks.hasTestSplit(one), await looks.hasTestSplit(other)], [true, false]);
  for (const datasetDigest of [one, other])
    await looks.recordTestSplit({ datasetDigest, testDigest: digestOf('a') });
  await looks.recordTestSplit({ datasetDigest: apart, testDigest: digestOf('b') });
  assert.deepEqual(await counts(), [2, 2, 0]);
  // The network is counted already, for the other data set.
  await looks.record([{ ...look('a'), datasetDigest: other }]);
  assert.deepEqual(await counts(), [2, 2, 0]);
  assert.equal(await looks.has(one, look('b').network), true);
  const { total, lineage } = await looks.ofVersion(one, '9999', [networkSubject(look('b').network)]);
  assert.deepEqual([total, lineage], [2, 1]);
});
