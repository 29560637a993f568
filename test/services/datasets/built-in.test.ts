import assert from 'node:assert/strict';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { summarize } from '../../../src/datasets/catalog.ts';
import { loadFashionMnist } from '../../../src/datasets/fashion-mnist.ts';
import { summarizeBuiltIn } from '../../../src/services/datasets/built-in.ts';
import {
  dataFolder,
  isAtelierError,
  labelsOf,
  TRAIN_LABELS,
  temporaryFolder,
} from '../../datasets/fixtures.ts';

const log = { warn: () => assert.fail('a warning was logged') };

async function setUp(t: TestContext) {
  const dataDir = await dataFolder(t);
  const stateDir = temporaryFolder(t);
  const file = join(stateDir, 'fashion-mnist.json');
  return { dataDir, stateDir, file, summarizeAgain: () => summarizeBuiltIn({ dataDir, stateDir }, log) };
}

test('the summary has the digest and the counts of the files', async (t) => {
  const { dataDir, summarizeAgain } = await setUp(t);
  const expected = [summarize(await loadFashionMnist(dataDir))];
  assert.deepEqual(await summarizeAgain(), expected);
  assert.deepEqual(await summarizeAgain(), expected);
});

test('files that have not changed are not read again', async (t) => {
  const { file, summarizeAgain } = await setUp(t);
  await summarizeAgain();
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replaceAll(/sha256:[0-9a-f]+/g, 'remembered'));
  assert.equal((await summarizeAgain())[0]?.digest, 'remembered');
});

test('a file of the same size and time, but with other bytes, is read again', async (t) => {
  const { dataDir, summarizeAgain } = await setUp(t);
  const path = join(dataDir, TRAIN_LABELS);
  const time = new Date('2026-01-01');
  await utimes(path, time, time);
  const [before] = await summarizeAgain();
  await writeFile(path, labelsOf(9, 1));
  await utimes(path, time, time);
  const [after] = await summarizeAgain();
  assert.notEqual(after?.digest, before?.digest);
  assert.deepEqual(after?.splits.train.examplesPerClass, [0, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
});

test('a damaged summary is computed again', async (t) => {
  const { file, summarizeAgain } = await setUp(t);
  const summary = await summarizeAgain();
  await writeFile(file, '{}');
  assert.deepEqual(await summarizeAgain(), summary);
});

test('without the files, nothing is written', async (t) => {
  const [dataDir, stateDir] = [temporaryFolder(t), temporaryFolder(t)];
  await assert.rejects(
    summarizeBuiltIn({ dataDir, stateDir }, log),
    isAtelierError('invalid-dataset', /train_images\.npy does not exist/),
  );
  assert.deepEqual(await readdir(stateDir), []);
});

test('a service without data sets has none', async (t) => {
  assert.deepEqual(await summarizeBuiltIn({ dataDir: null, stateDir: temporaryFolder(t) }, log), []);
});
