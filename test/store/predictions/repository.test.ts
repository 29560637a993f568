import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { NewPredictionJob } from '../../../src/domain/predictions/job.ts';
import { createRetentionService } from '../../../src/services/operations/retention.ts';
import type { Look } from '../../../src/store/models/looks.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { addDataset, failure, publish, temporaryDirectory, temporaryStore } from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

const model = { name: 'shoes', version: 1 };
const classNames = ['cat', 'dog'];
const ofFile: NewPredictionJob = { model, classNames, source: { pixels: '0-1' }, images: 3, coverage: null };
const ofDataset: NewPredictionJob = {
  model,
  classNames,
  source: { dataset: 'dst_pets', split: 'test' },
  images: 2,
  coverage: null,
};
const QUEUE = { queueLimit: 10 };
const COUNTS = { classes: [2, 1], correct: null, unsure: null };

async function newFile(store: Store, content: string): Promise<string> {
  const path = store.temporaryFiles.newFile();
  await writeFile(path, content);
  return path;
}

async function createWithFile(store: Store, content = 'pixels') {
  return store.predictionJobs.create(ofFile, { ...QUEUE, input: await newFile(store, content) });
}

async function start({ predictionJobs }: Store, id: string, runner?: string) {
  const run = await predictionJobs.start(id, runner);
  assert.ok(run);
  return run;
}

/** Content of a file of a job; undefined if it has none of this kind. */
async function read(store: Store, id: string, kind: 'input' | 'probabilities' | 'labels') {
  const digest = await store.predictionJobs.digest(id, kind);
  if (digest === undefined) return undefined;
  const path = store.temporaryFiles.newFile();
  await store.predictionJobs.copyFile(digest, path);
  return readFile(path, 'utf8');
}

async function openWithModel(t: TestContext): Promise<Store> {
  const store = await temporaryStore(t);
  await publish(store, 'shoes');
  return store;
}

storeTest('a prediction job keeps its input until its end, then its result', async (t) => {
  const store = await openWithModel(t);
  const { predictionJobs: jobs } = store;
  const { id } = await createWithFile(store);
  assert.equal((await jobs.nextQueued())?.id, id);
  const run = await start(store, id);
  assert.deepEqual([await jobs.start(id), (await jobs.nextQueued())?.id], [null, undefined]);
  assert.equal(await read(store, id, 'input'), 'pixels');
  await run.recordProgress(2);
  assert.deepEqual((await jobs.get(id))?.progress, { images: 2, fraction: 2 / 3 });
  const files = {
    probabilities: await newFile(store, 'matrix'),
    labels: await newFile(store, 'truth'),
    judgements: null,
  };
  await run.succeed(files, { ...COUNTS, correct: 2 });
  const job = await jobs.get(id);
  assert.deepEqual([job?.status, job?.accuracy, job?.attempts], ['succeeded', 2 / 3, 1]);
  assert.deepEqual(job?.classes, [
    { label: 0, className: 'cat', images: 2 },
    { label: 1, className: 'dog', images: 1 },
  ]);
  const contents = await Promise.all(
    (['input', 'probabilities', 'labels'] as const).map((kind) => read(store, id, kind)),
  );
  assert.deepEqual(contents, [undefined, 'matrix', 'truth']);
  await assert.rejects(run.fail({ code: 'x', message: 'y' }), failure('lease-lost'));
  await jobs.remove(id);
  assert.equal(await jobs.get(id), undefined);
  await assert.rejects(jobs.remove(id), failure('prediction-job-not-found', id));
});

storeTest('one of several replicas starts a job, and a lost run can write nothing more', async (t) => {
  const store = await openWithModel(t);
  const { predictionJobs: jobs } = store;
  const { id } = await createWithFile(store);
  const starts = await Promise.all(['a', 'b', 'c'].map((runner) => jobs.start(id, runner)));
  const [lost, ...others] = starts.filter((run) => run !== null);
  assert.ok(lost && others.length === 0);
  await jobs.recoverOne(id, 1);
  assert.equal((await jobs.get(id))?.status, 'queued');
  await jobs.recoverOne(id, 1);
  const next = await start(store, id);
  const files = { probabilities: await newFile(store, 'matrix'), labels: null, judgements: null };
  for (const write of [() => lost.recordProgress(1), () => lost.release(), () => lost.succeed(files, COUNTS)])
    await assert.rejects(write(), failure('lease-lost'));
  await next.release();
  assert.equal((await jobs.get(id))?.attempts, 2);
  await start(store, id);
  await jobs.recoverInterrupted();
  for (const run of [8, 10, 12]) {
    await start(store, id);
    await jobs.recoverOne(id, run - 2);
  }
  const paused = (await jobs.get(id))!;
  assert.deepEqual([paused.status, paused.finishedAt, paused.error], ['paused', null, null]);
  assert.match(paused.pauseReason!, /^The process ended 5 times .* too little memory\. If memory ran out/);
  assert.equal(await read(store, id, 'input'), 'pixels');
  await jobs.recoverOne(id, 12);
  assert.deepEqual([await jobs.start(id), await jobs.nextQueued()], [null, undefined]);

  assert.deepEqual([(await jobs.resume(id, 1)).status, (await jobs.get(id))?.pauseReason], ['queued', null]);
  await start(store, id);
  await jobs.recoverInterrupted();
  assert.equal((await jobs.get(id))?.status, 'queued', 'the ends are counted from the resumption on');
});

storeTest('a queued or running prediction job can be paused, resumed and cancelled', async (t) => {
  const store = await openWithModel(t);
  const { predictionJobs: jobs } = store;
  const { id } = await createWithFile(store);
  await assert.rejects(jobs.resume(id, 10), failure('illegal-transition', 'queued', 'Only paused'));
  assert.equal((await jobs.pause(id)).status, 'paused');
  await assert.rejects(jobs.pause(id), failure('illegal-transition', 'paused', 'Only queued or running'));
  await assert.rejects(store.models.remove('shoes'), failure('version-in-use', id));
  const other = await createWithFile(store);
  await assert.rejects(jobs.resume(id, 1), failure('queue-full'));
  await jobs.resume(id, 2);
  const run = await start(store, id);
  await run.recordProgress(1);
  const paused = await jobs.pause(id);
  assert.deepEqual([paused.status, paused.progress.images, paused.pauseReason], ['paused', 0, null]);
  for (const write of [() => run.recordProgress(2), () => run.release()])
    await assert.rejects(write(), failure('lease-lost'));
  assert.deepEqual(
    (await jobs.list({ limit: 10, status: 'paused' })).data.map((job) => job.id),
    [id],
  );
  await jobs.cancel(other.id);
  for (let held = 1; held < 10; held++) await jobs.pause((await createWithFile(store)).id);
  await assert.rejects(jobs.create(ofFile, { queueLimit: 1 }), failure('queue-full', '10', 'paused'));
  await assert.rejects(jobs.remove(id), failure('illegal-transition', 'paused'));
  assert.equal((await jobs.cancel(id)).status, 'cancelled');
  assert.equal(await jobs.digest(id, 'input'), undefined);
});

storeTest('the version and the data set of an unfinished prediction job cannot be deleted', async (t) => {
  const store = await openWithModel(t);
  const { predictionJobs: jobs } = store;
  await addDataset(store, 'dst_pets');
  const { id } = await jobs.create(ofDataset, QUEUE);
  await assert.rejects(
    store.models.remove('shoes'),
    failure('version-in-use', `queued prediction job ${id}`),
  );
  await assert.rejects(store.datasets.remove('dst_pets'), failure('dataset-in-use', id));
  const run = await start(store, id);
  await assert.rejects(jobs.remove(id), failure('illegal-transition', 'running', 'Cancel it'));
  assert.equal((await jobs.cancel(id)).status, 'cancelled');
  await assert.rejects(run.recordProgress(1), failure('lease-lost'));
  await assert.rejects(jobs.cancel(id), failure('illegal-transition', 'cancelled'));
  await store.datasets.remove('dst_pets');
  await store.models.remove('shoes');
  await assert.rejects(jobs.create(ofFile, QUEUE), failure('unknown-model', 'Version 1 of model shoes'));
  await publish(store, 'shoes');
  const again = { ...ofDataset, model: { name: 'shoes', version: 2 } };
  await assert.rejects(jobs.create(again, QUEUE), failure('unknown-dataset', 'dst_pets'));
});

storeTest('the queue has a limit, and lists are paged', async (t) => {
  const store = await openWithModel(t);
  const { predictionJobs: jobs } = store;
  const ids = [];
  for (let n = 0; n < 3; n++) ids.unshift((await createWithFile(store)).id);
  await assert.rejects(jobs.create(ofFile, { queueLimit: 3 }), failure('queue-full', '3 prediction jobs'));
  await jobs.cancel(ids[1]!);
  const { data, hasMore } = await jobs.list({ limit: 1, after: ids[0], status: 'queued' });
  assert.deepEqual([data.map(({ id }) => id), hasMore], [[ids[2]], false]);
  assert.equal((await jobs.list({ limit: 2 })).hasMore, true);
});

test('files without a prediction job are removed, by retention and at the end of a job', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  t.after(() => store.close());
  await publish(store, 'shoes');
  const { predictionJobs: jobs } = store;
  const stored = async () => (await readdir(join(directory, 'predictions'))).length;
  const [same, other] = [await createWithFile(store), await createWithFile(store)];
  assert.equal(await stored(), 1, 'equal files are stored once');
  await jobs.cancel(same.id);
  assert.equal(await stored(), 1);
  const run = await start(store, other.id);
  await run.succeed(
    { probabilities: await newFile(store, 'matrix'), labels: null, judgements: null },
    COUNTS,
  );
  assert.equal(await stored(), 1, 'only the result is left');
  const service = createRetentionService({
    retention: store.retention,
    keepEventsDays: null,
    keepCheckpointsDays: null,
    keepJobsDays: 7,
    now: () => new Date(Date.now() + 8 * 24 * 60 * 60 * 1000),
    onDefect: assert.ifError,
  });
  const waiting = await jobs.create(ofFile, QUEUE);
  await service.start();
  await service.close();
  const { data } = await jobs.list({ limit: 10 });
  assert.deepEqual([data.map(({ id }) => id), await stored()], [[waiting.id], 0]);
});

storeTest('a condition that does not hold prevents every change of a prediction job', async (t) => {
  const store = await openWithModel(t);
  const { predictionJobs: jobs } = store;
  const { id } = await createWithFile(store);
  const refuse = ({ status }: { readonly status: string }) => {
    throw new Error(`it is ${status}`);
  };
  await assert.rejects(jobs.pause(id, refuse), /it is queued/);
  await jobs.pause(id);
  await assert.rejects(jobs.resume(id, 10, refuse), /it is paused/);
  await assert.rejects(jobs.cancel(id, refuse), /it is paused/);
  await jobs.cancel(id);
  await assert.rejects(jobs.remove(id, refuse), /it is cancelled/);
  assert.equal((await jobs.get(id))?.status, 'cancelled');
});

storeTest('queued prediction jobs follow each other in the order of their creation', async (t) => {
  const store = await openWithModel(t);
  const { predictionJobs: jobs } = store;
  const [first, second, third] = [
    await createWithFile(store),
    await createWithFile(store),
    await createWithFile(store),
  ];
  await jobs.pause(second.id);
  assert.equal((await jobs.nextQueued())?.id, first.id);
  assert.equal((await jobs.nextQueued(first))?.id, third.id);
  assert.equal(await jobs.nextQueued(third), undefined);
  await jobs.assertQueueHasRoom(3);
  const full = jobs.assertQueueHasRoom(2);
  await assert.rejects(full, failure('queue-full'));
  await full.catch(({ retryAfterSeconds }) => assert.equal(retryAfterSeconds, 5));
});

storeTest('prediction jobs that are created or resumed at once do not exceed the queue', async (t) => {
  const store = await openWithModel(t);
  const { predictionJobs: jobs } = store;
  const codes = (all: readonly PromiseSettledResult<unknown>[]) =>
    all.map((each) => (each.status === 'rejected' ? (each.reason.code as string) : null)).toSorted();
  const created = await Promise.allSettled([1, 2, 3].map(() => jobs.create(ofFile, { queueLimit: 1 })));
  assert.deepEqual(codes(created), [null, 'queue-full', 'queue-full']);
  const { id } = (await jobs.nextQueued())!;
  await jobs.pause(id);
  const other = await jobs.create(ofFile, { queueLimit: 1 });
  await jobs.pause(other.id);
  const resumed = await Promise.allSettled([id, other.id].map((each) => jobs.resume(each, 1)));
  assert.deepEqual(codes(resumed), [null, 'queue-full']);
});

storeTest('a prediction job whose result may be revealed counts as a look', async (t) => {
  const store = await openWithModel(t);
  const datasetDigest = `sha256:${'d'.repeat(64)}`;
  const network = { ...(await store.models.version('shoes', 1))!, digest: `sha256:${'b'.repeat(64)}` };
  const look: Look = { datasetDigest, kind: 'predictions', network, caller: 'anonymous' };
  const before = await store.looks.total(datasetDigest);
  await store.predictionJobs.create(ofFile, QUEUE);
  assert.equal(await store.looks.total(datasetDigest), before);
  await store.predictionJobs.create(ofFile, { ...QUEUE, look });
  assert.equal(await store.looks.total(datasetDigest), before + 1);
});
