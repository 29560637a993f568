/** The binary version of CIFAR, written by hand as its page describes it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { DatasetFields } from '../../../../src/domain/datasets/upload-form.ts';
import { isAtelierError, temporaryFolder } from '../../fixtures.ts';
import { check } from '../fixtures.ts';

/** A record: labels, then planes of red n, green 10 + n and blue 20 + n. */
const record = (labels: readonly number[], n: number) =>
  Buffer.concat([Buffer.from(labels), ...[n, 10 + n, 20 + n].map((value) => Buffer.alloc(1024, value))]);
const batch = (...labels: readonly (readonly number[])[]) =>
  Buffer.concat(labels.map((each, n) => record(each, n)));

/** Packs the files with GNU tar, as CIFAR is distributed. */
function read(
  t: TestContext,
  files: Readonly<Record<string, Buffer | string>>,
  fields: Partial<DatasetFields> = {},
) {
  const folder = temporaryFolder(t);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, 'in', dirname(name)), { recursive: true });
    writeFileSync(join(folder, 'in', name), content);
  }
  execFileSync('tar', ['czf', join(folder, 'x.tgz'), '-C', join(folder, 'in'), '.']);
  return check(t, { file: readFileSync(join(folder, 'x.tgz')) }, fields);
}

const TEN = {
  'cifar-10-batches-bin/data_batch_1.bin': batch([1], [0]),
  'cifar-10-batches-bin/data_batch_2.bin': batch([1]),
  'cifar-10-batches-bin/test_batch.bin': batch([0], [1]),
  'cifar-10-batches-bin/batches.meta.txt': 'airplane\nautomobile\n\n',
  'cifar-10-batches-bin/readme.html': 'x',
};

test('reads CIFAR-10 as it is distributed, with the names of its classes', async (t) => {
  const { tensors, classNames, imageShape, report } = await read(t, TEN);
  assert.deepEqual(
    [classNames, imageShape],
    [
      ['airplane', 'automobile'],
      [32, 32, 3],
    ],
  );
  assert.deepEqual(
    [[...tensors.train.labels], [...tensors.test.labels]],
    [
      [1, 0, 1],
      [0, 1],
    ],
  );
  const firsts = Array.from({ length: 3 }, (_, n) => [
    ...tensors.train.pixels.subarray(n * 3072, n * 3072 + 4),
  ]);
  assert.deepEqual(firsts, [
    [0, 10, 20, 0],
    [1, 11, 21, 1],
    [0, 10, 20, 0],
  ]);
  assert.deepEqual(report.arrays[0]!.shape, [3, 3, 32, 32]);
});

test('reads the fine labels of CIFAR-100, or the coarse ones', async (t) => {
  const files = {
    'c/train.bin': batch([0, 2], [1, 0], [1, 1]),
    'c/test.bin': batch([0, 1]),
    'c/fine_label_names.txt': 'apple\nbear\ncat\n',
    'c/coarse_label_names.txt': 'fruit\nanimal\n',
  };
  const fine = await read(t, files);
  assert.deepEqual(
    [[...fine.tensors.train.labels], fine.classNames],
    [
      [2, 0, 1],
      ['apple', 'bear', 'cat'],
    ],
  );
  const coarse = await read(t, files, { labels: 'coarse' });
  assert.deepEqual(
    [[...coarse.tensors.train.labels], coarse.classNames],
    [
      [0, 1, 1],
      ['fruit', 'animal'],
    ],
  );
  const parts = { train: files['c/train.bin'], test: files['c/test.bin'] };
  assert.deepEqual((await check(t, parts)).tensors.train.labels, fine.tensors.train.labels);
});

test('rejects coarse labels of CIFAR-10, a class without a name, and a cut batch', async (t) => {
  await assert.rejects(
    read(t, TEN, { labels: 'coarse' }),
    isAtelierError('invalid-dataset-file', /CIFAR-10 has one label an image; omit it/),
  );
  const [first] = Object.keys(TEN) as [keyof typeof TEN];
  await assert.rejects(
    read(t, { ...TEN, [first]: batch([1], [2]) }),
    isAtelierError('invalid-dataset-file', /label 1 is 2; labels must be whole numbers from 0 to 1/),
  );
  await assert.rejects(
    read(t, { ...TEN, [first]: batch([1]).subarray(1) }),
    isAtelierError('invalid-dataset-file', /holds no PNG/),
  );
});
