import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadFashionMnist, reloadFashionMnist } from '../../src/datasets/fashion-mnist.ts';
import { npyBytes } from '../../src/formats/arrays/npy.ts';
import { catalogOf } from '../support/catalog.ts';
import {
  dataFolder,
  IMAGES,
  isAtelierError,
  labelsOf,
  npyFixture,
  TRAIN_IMAGES,
  TRAIN_LABELS,
} from './fixtures.ts';

test('the four files become bytes in shared memory, with the digest of pixels and labels', async (t) => {
  const { id, train, test: held, digest, classNames } = await loadFashionMnist(await dataFolder(t));
  assert.equal(id, 'fashion-mnist');
  assert.equal(classNames[9], 'Ankle boot');
  assert.deepEqual([...train.pixels], [...IMAGES]);
  assert.deepEqual([[...train.labels], [...held.labels]], [[9, 0], [3]]);
  for (const { buffer } of [train.pixels, train.labels, held.pixels, held.labels]) {
    assert.ok(buffer instanceof SharedArrayBuffer);
  }
  const bytes = Buffer.concat([IMAGES, Buffer.of(9, 0), IMAGES.subarray(0, 784), Buffer.of(3)]);
  assert.equal(digest, `sha256:${createHash('sha256').update(bytes).digest('hex')}`);
});

for (const form of ['u1-fortran', 'i8', 'f4-255', 'f2', 'f4', 'f8', 'f8-widened']) {
  test(`images written by NumPy as ${form} give the same data set`, async (t) => {
    const { train } = await loadFashionMnist(
      await dataFolder(t, { [TRAIN_IMAGES]: await npyFixture(`pictures-${form}`) }),
    );
    assert.deepEqual([...train.pixels], [...IMAGES]);
  });
}

test('accepts labels as floats', async (t) => {
  const labels = npyBytes(new Float64Array([9, 0]), [2]);
  assert.deepEqual(
    [...(await loadFashionMnist(await dataFolder(t, { [TRAIN_LABELS]: labels }))).train.labels],
    [9, 0],
  );
});

const floats = (value: number) => npyBytes(new Float32Array(784).fill(value), [1, 784]);
const DEFECTS: readonly (readonly [string, string, Uint8Array, RegExp])[] = [
  ['images of another size', TRAIN_IMAGES, npyBytes(new Uint8Array(2 * 1024), [2, 32, 32]), /\(2, 32, 32\)/],
  ['a single image without a count', TRAIN_IMAGES, npyBytes(new Uint8Array(784), [28, 28]), /\(28, 28\)/],
  ['no images', TRAIN_IMAGES, npyBytes(new Uint8Array(), [0, 784]), /\(0, 784\)/],
  ['fractions that are no k/255', TRAIN_IMAGES, floats(0.5), /value 0 is 0\.5/],
  ['fractions above 1', TRAIN_IMAGES, floats(1.5), /value 0 is 1\.5/],
  ['NaN', TRAIN_IMAGES, floats(Number.NaN), /value 0 is NaN/],
  ['pixels above 255', TRAIN_IMAGES, floats(256), /value 0 is 256/],
  ['negative pixels', TRAIN_IMAGES, floats(-1), /value 0 is -1/],
  ['more images than labels', TRAIN_LABELS, labelsOf(1), /1 labels, but .* has 2 images/],
  [
    'an eleventh class',
    TRAIN_LABELS,
    labelsOf(9, 10),
    /value 1 is 10; labels must be whole numbers from 0 to 9/,
  ],
  ['a fractional label', TRAIN_LABELS, npyBytes(new Float32Array([1, 1.5]), [2]), /value 1 is 1\.5/],
  ['one-hot labels', TRAIN_LABELS, npyBytes(new Uint8Array(20), [2, 10]), /\(2, 10\)/],
  ['a file of something else', TRAIN_LABELS, Buffer.from('not an array'), /it is text, not an \.npy file/],
];
for (const [name, file, bytes, message] of DEFECTS) {
  test(`rejects with file, defect and advice: ${name}`, async (t) => {
    const folder = await dataFolder(t, { [file]: bytes });
    await assert.rejects(loadFashionMnist(folder), (error: Error) => {
      assert.ok(error.message.startsWith(join(folder, file)), error.message);
      assert.match(error.message, /npx atelier data/);
      return isAtelierError('invalid-dataset', message)(error);
    });
  });
}

test('rejects a missing or truncated file', async (t) => {
  const folder = await dataFolder(t);
  await truncate(join(folder, TRAIN_IMAGES), 1000);
  await assert.rejects(loadFashionMnist(folder), isAtelierError('invalid-dataset', /bytes of data/));
  await rm(join(folder, TRAIN_IMAGES));
  await assert.rejects(
    loadFashionMnist(folder),
    isAtelierError('invalid-dataset', /does not exist\. Run "npx atelier data"/),
  );
});

test('rejects a named pipe and a folder in place of a file', async (t) => {
  const folder = await dataFolder(t);
  const path = join(folder, TRAIN_LABELS);
  for (const create of [() => execFileSync('mkfifo', [path]), () => mkdir(path)]) {
    await rm(path, { recursive: true });
    await create();
    await assert.rejects(
      loadFashionMnist(folder),
      isAtelierError('invalid-dataset', /it is not a regular file/),
    );
  }
});

test('files that have changed since the start are not loaded, and the message names no folder', async (t) => {
  const folder = await dataFolder(t);
  const { digest, train, test: held } = await loadFashionMnist(folder);
  assert.deepEqual(await reloadFashionMnist(folder, digest), {
    ...{ train, validation: null, learning: train, test: held },
  });
  const changed = 'The files of data set fashion-mnist have changed since the service started. ';
  const advice = 'Restore them, or restart the service.';
  const code = 'dataset-damaged';
  await assert.rejects(reloadFashionMnist(folder, 'sha256:0'), { code, message: changed + advice });
  await rm(join(folder, TRAIN_IMAGES));
  const missing = ` The data file ${TRAIN_IMAGES} does not exist. Run`;
  await assert.rejects(reloadFashionMnist(folder, digest), (error: Error) =>
    error.message.startsWith(changed + advice + missing),
  );
});

test('the catalog finds data sets by id and counts their examples', async (t) => {
  const dataset = await loadFashionMnist(await dataFolder(t));
  const catalog = catalogOf(dataset);
  assert.deepEqual(await catalog.get('fashion-mnist'), dataset);
  assert.equal(await catalog.get('mnist'), undefined);
  assert.equal(catalog.summary('mnist'), undefined);
  assert.deepEqual(catalog.list(), [catalog.summary('fashion-mnist')]);
  const { splits, imageShape, digest } = catalog.summary('fashion-mnist')!;
  assert.deepEqual(imageShape, [28, 28]);
  assert.equal(digest, dataset.digest);
  assert.deepEqual(splits.train, { examples: 2, examplesPerClass: [1, 0, 0, 0, 0, 0, 0, 0, 0, 1] });
  assert.deepEqual(splits.test, { examples: 1, examplesPerClass: [0, 0, 0, 1, 0, 0, 0, 0, 0, 0] });
});
