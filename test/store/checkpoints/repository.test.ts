import assert from 'node:assert/strict';
import { readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { KeptCheckpoints } from '../../../src/domain/jobs/request.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import {
  failure,
  newJob,
  request,
  runOf,
  startRun,
  temporaryDirectory,
  temporaryStore,
  trained,
  underway,
  untouched,
} from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

const bytesOf = (step: number) => new Uint8Array(64).fill(step);

async function save(id: string, step: number, loss: number | null = null): Promise<void> {
  await runOf(id).saveCheckpoint({ step, epoch: 1, loss }, bytesOf(step));
}

async function stepsOf(store: Store, id: string): Promise<number[]> {
  return (await store.checkpoints.list(id)).map(({ step }) => step);
}

storeTest('a stored checkpoint is listed, recorded as an event, and read back unchanged', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  await save(id, 7, 0.5);
  const [checkpoint, ...others] = await store.checkpoints.list(id);
  assert.deepEqual(others, []);
  const { createdAt, digest, ...rest } = checkpoint!;
  assert.deepEqual(rest, { step: 7, epoch: 1, bytes: 64, loss: 0.5 });
  assert.deepEqual(await store.checkpoints.read({ digest }), bytesOf(7));
  const event = (await store.events.list(id, { limit: 10 })).data.at(-1);
  assert.deepEqual([event?.type, event?.data], ['checkpoint', { step: 7, epoch: 1 }]);
  assert.ok(createdAt <= event!.at);
});

test('keeps the best and the last three checkpoints, and removes the other files', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  t.after(() => store.close());
  const id = await newJob(store, 'running');
  const losses = [0.9, 0.4, null, 0.6, 0.5, null, 0.7];
  for (const [n, loss] of losses.entries()) await save(id, n + 1, loss);
  assert.deepEqual(await stepsOf(store, id), [2, 5, 6, 7]);
  assert.equal((await readdir(join(directory, 'checkpoints'))).length, 4);
  for (const checkpoint of await store.checkpoints.list(id)) {
    assert.deepEqual(await store.checkpoints.read(checkpoint), bytesOf(checkpoint.step));
  }
});

test('a checkpoint replaces the one of the same step, with its file', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  t.after(() => store.close());
  const id = await newJob(store, 'running');
  await save(id, 1);
  await runOf(id).saveCheckpoint({ step: 1, epoch: 1, loss: 0.5 }, bytesOf(2));
  const [only, ...others] = await store.checkpoints.list(id);
  assert.deepEqual(others, []);
  assert.deepEqual(await readdir(join(directory, 'checkpoints')), [only!.digest.replace('sha256:', '')]);
  await save(id, 2);
  assert.deepEqual(await stepsOf(store, id), [1, 2]);
});

storeTest('keeps the warm start of an unfinished job', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  await save(id, 1);
  const warmStart = { name: id, version: 1 };
  const waiting = await store.jobs.create({ ...request(), warmStart }, untouched);
  for (const step of [2, 3, 4, 5]) await save(id, step);
  assert.deepEqual(await stepsOf(store, id), [1, 3, 4, 5]);
  await store.jobs.requestCancel(waiting.id);
  await save(id, 6);
  assert.deepEqual(await stepsOf(store, id), [4, 5, 6]);
});

storeTest('keeps the requested checkpoints of a succeeded job, and the warm starts of others', async (t) => {
  const store = await temporaryStore(t);
  async function succeed(keepCheckpoints: KeptCheckpoints | undefined, losses: readonly (number | null)[]) {
    const resolved = request();
    const training = { ...resolved.training, keepCheckpoints };
    const { id } = await store.jobs.create({ ...resolved, training }, untouched);
    await startRun(store, id);
    for (const [n, loss] of losses.entries()) await save(id, n + 1, loss);
    const { id: starting } = await store.jobs.create(
      { ...request(), warmStart: { name: id, version: 2 } },
      untouched,
    );
    await runOf(id).finish({ status: 'succeeded', step: 4, reason: 'completed', model: trained });
    const steps = await stepsOf(store, id);
    await store.jobs.requestCancel(starting);
    return steps;
  }
  assert.deepEqual(await succeed('best', [0.4, 0.6, 0.5, null]), [1, 2]);
  assert.deepEqual(await succeed('best', [0.6, 0.5, 0.4, 0.4]), [2, 3], 'the first of equal ones');
  assert.deepEqual(await succeed('best', [null, null, null]), [2, 3], 'the last, if none was measured');
  assert.deepEqual(await succeed('last', [0.4, 0.6, 0.5, null]), [2, 4]);
  assert.deepEqual(await succeed('none', [0.4, 0.6]), [2]);
  for (const all of ['all', undefined] as const) {
    assert.deepEqual(await succeed(all, [0.4, 0.6, 0.5, null]), [1, 2, 3, 4]);
  }
});

test('removes the files of the other checkpoints of a succeeded job, but of no cancelled one', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  t.after(() => store.close());
  const files = async () => (await readdir(join(directory, 'checkpoints'))).length;
  const resolved = request();
  const training = { ...resolved.training, keepCheckpoints: 'none' as const };
  for (const isCancelled of [false, true]) {
    const { id } = await store.jobs.create({ ...resolved, training }, untouched);
    await startRun(store, id);
    for (const step of [1, 2]) await save(id, step);
    assert.equal(await files(), 2);
    if (isCancelled) {
      await store.jobs.requestCancel(id);
      await runOf(id).release();
    } else await runOf(id).finish({ status: 'succeeded', step: 2, reason: 'completed', model: trained });
    assert.equal(await files(), isCancelled ? 2 : 0);
  }
});

storeTest('keeps files that another job still refers to', async (t) => {
  const store = await temporaryStore(t);
  const [one, other] = [await newJob(store, 'running'), await newJob(store, 'running')];
  await save(one, 1);
  for (const step of [1, 2, 3, 4]) await save(other, step);
  assert.deepEqual(await stepsOf(store, other), [2, 3, 4]);
  const [kept] = await store.checkpoints.list(one);
  assert.deepEqual(await store.checkpoints.read(kept!), bytesOf(1));
});

storeTest('a checkpoint beyond all earlier ones resets the attempts, another does not', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  const failed = { status: 'failed', step: 5, error: { code: 'worker-crashed', message: 'gone' } } as const;
  const attempts = async () => (await store.jobs.get(id))?.attempts;
  await runOf(id).requeue(failed);
  await startRun(store, id);
  await save(id, 5);
  assert.equal(await attempts(), 1);
  await runOf(id).requeue(failed);
  await startRun(store, id);
  await save(id, 5);
  assert.equal(await attempts(), 2);
});

storeTest('rejects checkpoints of inactive jobs', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  await runOf(id).recordProgress(underway);
  await runOf(id).release();
  await assert.rejects(save(id, 9), failure('illegal-transition', 'queued'));
  assert.deepEqual(await stepsOf(store, id), []);
});

test('reports a truncated or missing file, and records a warning when the checkpoint is discarded', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  t.after(() => store.close());
  const id = await newJob(store, 'running');
  for (const step of [1, 2]) await save(id, step);
  const [gone, cut] = await store.checkpoints.list(id);
  const fileOf = (digest: string) => join(directory, 'checkpoints', digest.replace('sha256:', ''));
  await rm(fileOf(gone!.digest));
  await truncate(fileOf(cut!.digest), 63);
  await assert.rejects(store.checkpoints.read(gone!), failure('state-unusable', gone!.digest));
  await assert.rejects(store.checkpoints.read(cut!), failure('state-unusable', cut!.digest));
  await runOf(id).discardCheckpoint(2, { code: 'checkpoint-damaged', message: 'cut off' });
  assert.deepEqual(await stepsOf(store, id), [1]);
  const event = (await store.events.list(id, { limit: 10 })).data.at(-1);
  assert.deepEqual([event?.type, event?.data['code']], ['warning', 'checkpoint-damaged']);
});

test('removes files without a row at the next start', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  const id = await newJob(store, 'running');
  await save(id, 1);
  await store.close();
  const leftBehind = join(directory, 'checkpoints', 'e'.repeat(64));
  await writeFile(leftBehind, 'left behind');
  await utimes(leftBehind, 0, 0);
  const again = await openStore(directory);
  t.after(() => again.close());
  const [kept] = await again.checkpoints.list(id);
  assert.deepEqual(await readdir(join(directory, 'checkpoints')), [kept!.digest.replace('sha256:', '')]);
});
