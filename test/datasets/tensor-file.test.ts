import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { countExamples, countSplits } from '../../src/datasets/catalog.ts';
import {
  digestDataset,
  digestSplit,
  readFully,
  readTensorFile,
  writeTensorFile,
} from '../../src/datasets/tensor-file.ts';
import { datasetId } from '../../src/datasets/upload/id.ts';
import type { DatasetSummary } from '../../src/domain/datasets/representation.ts';
import { isAtelierError, temporaryFolder } from './fixtures.ts';
import { images, labels } from './upload/fixtures.ts';

const split = (count: number) => ({ pixels: images(count, 2), labels: labels(count, 2) });
/** Tensors larger than one read. */
const tensors = { train: split(6000), validation: null, test: split(3) };

function summaryOf(digest: string): DatasetSummary {
  return {
    id: 'dst_0',
    name: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    imageShape: [28, 28],
    classNames: ['a', 'b'],
    splits: {
      train: countExamples(tensors.train.labels, 2),
      test: countExamples(tensors.test.labels, 2),
    },
    digest,
    preprocessing: null,
    report: null,
  };
}

test('tensors are read back unchanged, into shared memory', async (t) => {
  const path = join(temporaryFolder(t), 'tensors');
  const digest = await writeTensorFile(path, [28, 28], tensors);
  assert.equal(
    digest,
    `sha256:${createHash('sha256')
      .update(await readFile(path))
      .digest('hex')}`,
  );
  const read = await readTensorFile(path, summaryOf(digest));
  assert.deepEqual(read, { ...tensors, learning: tensors.train });
  assert.ok(read.train.pixels.buffer instanceof SharedArrayBuffer);
  await assert.rejects(writeTensorFile(path, [28, 28], tensors), /EEXIST/);
});

test('labels of more than 256 classes take two bytes, at odd addresses too', async (t) => {
  const path = join(temporaryFolder(t), 'tensors');
  const odd = (...labels: number[]) => ({
    pixels: Uint8Array.from({ length: 25 * labels.length }, (_, n) => n),
    labels: Uint16Array.from(labels),
  });
  const many = { train: odd(258, 0, 299), validation: null, test: odd(1) };
  const digest = await writeTensorFile(path, [5, 5], many);
  assert.equal(digestDataset({ imageShape: [5, 5], ...many }), digest);
  const summary = {
    ...summaryOf(digest),
    imageShape: [5, 5] as const,
    classNames: Array.from({ length: 300 }, (_, n) => `${n}`),
    splits: countSplits(many, 300),
  };
  const read = await readTensorFile(path, { ...summary, imageShape: [5, 5] });
  assert.deepEqual(read, { ...many, learning: many.train });
  assert.ok(read.train.labels.buffer instanceof SharedArrayBuffer);
});

test('the digest of a split does not depend on the number of classes of its data set', () => {
  const few = { pixels: images(4, 2), labels: Uint8Array.of(1, 0, 1, 1) };
  const many = { ...few, labels: Uint16Array.of(999, 300, 999, 999) };
  assert.equal(digestSplit(many), digestSplit(few));
});

test('rejects a damaged, truncated, longer or missing file by name', async (t) => {
  const path = join(temporaryFolder(t), 'tensors');
  const summary = summaryOf(await writeTensorFile(path, [28, 28], tensors));
  const bytes = await readFile(path);
  bytes[4_500_000]! ^= 1;
  await writeFile(path, bytes);
  await assert.rejects(
    readTensorFile(path, summary),
    isAtelierError('dataset-damaged', /dst_0 is damaged: its digest differs/),
  );
  await truncate(path, bytes.length - 1);
  await assert.rejects(
    readTensorFile(path, summary),
    isAtelierError('dataset-damaged', /it has 4712354 bytes instead of 4712355/),
  );
  await writeFile(path, Buffer.alloc(bytes.length + 1));
  await assert.rejects(readTensorFile(path, summary), isAtelierError('dataset-damaged', /instead of/));
  await assert.rejects(
    readTensorFile(`${path}.gone`, summary),
    isAtelierError('dataset-damaged', /it cannot be read \(ENOENT\)/),
  );
  await assert.rejects(
    readTensorFile(dirname(path), summary),
    isAtelierError('dataset-damaged', /dst_0 is damaged: it is not a regular file/),
  );
});

test('a read goes on where the file system returned fewer bytes', async (t) => {
  const path = join(temporaryFolder(t), 'bytes');
  await writeFile(path, Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7));
  await using file = await open(path);
  const threeAtOnce = {
    read: (bytes: Uint8Array, offset: number, length: number, at: number | null) =>
      file.read(bytes, offset, Math.min(length, 3), at),
  } as FileHandle;
  const bytes = new Uint8Array(7);
  await readFully(threeAtOnce, bytes, 1);
  assert.deepEqual([...bytes], [1, 2, 3, 4, 5, 6, 7]);
  await readFully(threeAtOnce, bytes);
  assert.deepEqual([...bytes], [0, 1, 2, 3, 4, 5, 6]);
  await assert.rejects(readFully(threeAtOnce, bytes), /it was truncated/);
});

test('the digest of the test split depends on its pixels, and on which of its images share a class', () => {
  const { pixels, labels } = tensors.test;
  const digest = digestSplit(tensors.test);
  // Classes before the others, and another order.
  for (const renumbered of [labels.map((label) => label + 2), labels.map((label) => 1 - label)]) {
    assert.equal(digestSplit({ pixels, labels: renumbered }), digest);
  }
  const brighter = pixels.map((pixel) => pixel + 1);
  const others = [
    { pixels, labels: Uint8Array.of(0, 1, 1) },
    { pixels, labels: labels.map(() => 0) },
    { pixels: brighter, labels },
  ];
  assert.equal(new Set([digest, ...others.map(digestSplit)]).size, 4);
});

test('other class names, splits or pixels give another id', () => {
  const summary = summaryOf('sha256:0');
  const { splits } = summary;
  const ids = [
    summary,
    { ...summary, classNames: ['a', 'c'] },
    { ...summary, digest: 'sha256:1' },
    { ...summary, splits: { train: splits.test, test: splits.train } },
  ].map(datasetId);
  assert.equal(new Set(ids).size, 4);
  for (const id of ids) assert.match(id, /^dst_[0-9a-f]{40}$/);
  assert.equal(datasetId({ ...summary, name: 'renamed' } as DatasetSummary), ids[0]);
});

test('the digest of other shapes is that of the file, and differs by shape', async (t) => {
  const folder = temporaryFolder(t);
  const digests = new Set<string>();
  for (const imageShape of [
    [28, 28],
    [14, 56],
    [56, 14],
    [8, 98],
  ] as const) {
    const path = join(folder, imageShape.join('x'));
    const digest = await writeTensorFile(path, imageShape, tensors);
    const bytes = createHash('sha256').update(await readFile(path));
    assert.equal(digest, `sha256:${bytes.digest('hex')}`);
    assert.equal(digestDataset({ imageShape, ...tensors }), digest);
    const summary: DatasetSummary = { ...summaryOf(digest), imageShape: [...imageShape] };
    assert.deepEqual(await readTensorFile(path, summary), { ...tensors, learning: tensors.train });
    const other: DatasetSummary = { ...summary, imageShape: [16, 49] };
    await assert.rejects(readTensorFile(path, other), isAtelierError('dataset-damaged', /digest|instead of/));
    digests.add(digest);
  }
  assert.equal(digests.size, 4);
});

test('validation images follow the training images, in the file and in memory, and their number is in the digest', async (t) => {
  const folder = temporaryFolder(t);
  const [validation, imageShape] = [split(5), [28, 28] as const];
  const { train, test: tested } = tensors;
  const path = join(folder, 'split');
  const digest = await writeTensorFile(path, imageShape, { ...tensors, validation });
  const head = Buffer.from('{"imageShape":[28,28],"validation":5}');
  const content = [train.pixels, validation.pixels, train.labels, validation.labels];
  assert.ok((await readFile(path)).equals(Buffer.concat([head, ...content, tested.pixels, tested.labels])));
  const { splits, ...summary } = summaryOf(digest);
  const read = await readTensorFile(path, {
    ...summary,
    splits: { ...splits, validation: countExamples(validation.labels, 2) },
  });
  const { learning, ...parts } = read;
  assert.deepEqual(parts, { train, validation, test: tested });
  assert.deepEqual(learning.labels, Uint8Array.from([...train.labels, ...validation.labels]));
  assert.equal(new Set([...Object.values(parts), learning].map((part) => part!.pixels.buffer)).size, 1);
  // The same bytes, split elsewhere.
  const [more, fewer] = [
    split(6003),
    { pixels: validation.pixels.subarray(3 * 784), labels: validation.labels.subarray(3) },
  ];
  const moved = digestDataset({ imageShape, train: more, validation: fewer, test: tested });
  const none = digestDataset({ imageShape, ...tensors });
  assert.equal(new Set([digest, moved, none]).size, 3);
});
