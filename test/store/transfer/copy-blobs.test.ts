/** Blobs from one state directory to another. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sha256Hex } from '../../../src/store/blobs/content-addressed.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { copyBlobs, verifyBlobs } from '../../../src/store/transfer/copy-blobs.ts';
import { openStateDirectory } from '../../../src/store/transfer/state-directory.ts';
import { failure, newDataset, newJob, runOf, temporaryDirectory } from '../fixtures.ts';

const CONTENT = Buffer.from('tensors');

/** A state directory with two data sets of the same bytes, and two jobs with the same checkpoint. */
async function fillDirectory(t: TestContext): Promise<string> {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  for (const id of ['dst_a', 'dst_b']) {
    const file = store.datasets.newFile();
    await writeFile(file, CONTENT);
    await store.datasets.add(file, { ...newDataset(id), digest: await sha256Hex(CONTENT) });
    const job = await newJob(store, 'running');
    await runOf(job).saveCheckpoint({ step: 1, epoch: 1, loss: null }, Buffer.from('checkpoint'));
  }
  await store.close();
  return directory;
}

async function open(t: TestContext, directory: string, isSource: boolean) {
  const side = await openStateDirectory(directory, isSource);
  t.after(side.close);
  return side;
}

test('each blob that a row names is copied once, and each data set has a file', async (t) => {
  const [from, to] = [await fillDirectory(t), await temporaryDirectory(t)];
  const [source, target] = [await open(t, from, true), await open(t, to, false)];
  assert.equal(await copyBlobs(source, target, target.temporary), 3);
  const files = (directory: string) =>
    Promise.all(['blobs', 'checkpoints', 'datasets'].map((kind) => readdir(join(directory, kind))));
  const copied = await files(to);
  assert.deepEqual(
    copied.map(({ length }) => length),
    [0, 1, 2],
  );
  assert.deepEqual(copied, await files(from));
  assert.deepEqual(await readFile(join(to, 'datasets/dst_b')), CONTENT);
  assert.equal(await copyBlobs(source, target, target.temporary), 0, 'the target has all of them');
  await rm(join(to, 'datasets/dst_a'));
  assert.equal(await copyBlobs(source, target, target.temporary), 1);
});

test('the verification reads each blob that a row names', async (t) => {
  const from = await fillDirectory(t);
  const source = await open(t, from, true);
  await verifyBlobs(source, source.temporary);
  await writeFile(join(from, 'datasets/dst_b'), 'others');
  await assert.rejects(verifyBlobs(source, source.temporary), failure('state-unusable'));
  await writeFile(join(from, 'datasets/dst_b'), CONTENT);
  await verifyBlobs(source, source.temporary);
  const [checkpoint] = await readdir(join(from, 'checkpoints'));
  await rm(join(from, 'checkpoints', checkpoint!));
  await assert.rejects(verifyBlobs(source, source.temporary), failure('state-unusable'));
});
