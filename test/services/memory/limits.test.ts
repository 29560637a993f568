import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCatalog } from '../../../src/datasets/catalog.ts';
import type { MeasuredUpload } from '../../../src/datasets/upload/form.ts';
import type { DatasetSummary } from '../../../src/domain/datasets/representation.ts';
import { trainingRequestSchema } from '../../../src/domain/jobs/request.ts';
import { AtelierError } from '../../../src/errors.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../../src/numerics/network/image-shape.ts';
import { createMemoryLedger, MEBIBYTE } from '../../../src/services/memory/ledger.ts';
import {
  admitDataset,
  assertTrainingFits,
  largestUpload,
  reserveUpload,
  trainingJobBytes,
} from '../../../src/services/memory/limits.ts';
import { catalogOf } from '../../support/catalog.ts';

const none = { pixels: new Uint8Array(0), labels: new Uint8Array(0) };
const classNames = Array.from({ length: 10 }, (_, label) => `${label}`);
const catalog = catalogOf({
  id: 'digits',
  imageShape: DEFAULT_IMAGE_SHAPE,
  classNames,
  digest: '',
  train: none,
  validation: null,
  learning: none,
  test: none,
});
const memory = createMemoryLedger();
const training = (hidden: number[]) => {
  const request = trainingRequestSchema.parse({ dataset: 'digits' });
  return { ...request, network: { ...request.network, hidden } };
};

function refusal(message: RegExp, pointer = '#/network/hidden'): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AtelierError && error.code === 'impossible-request');
    assert.match(error.message, message);
    assert.deepEqual(error.details, [{ pointer, detail: 'requires too much memory' }]);
    return true;
  };
}

test('rejects a network that does not fit into memory, with its estimate', () => {
  const huge = [10_000_000, 100_000];
  assert.throws(
    () => assertTrainingFits(memory, training(huge), catalog),
    refusal(/Training a 784-10000000-100000-10 network takes about \d+ MiB.*\d+ MiB are available/),
  );
  const convolutions = [[4096, 4096]];
  const { network, ...rest } = training([]);
  const small = createMemoryLedger({ limit: 1024 * MEBIBYTE });
  assert.throws(
    () => assertTrainingFits(small, { ...rest, network: { ...network, convolutions } }, catalog),
    refusal(/Use fewer or smaller layers, or smaller batches\.$/, '#/network'),
  );
});

test("accepts the notebook's network", () => {
  assert.doesNotThrow(() => assertTrainingFits(memory, training([40]), catalog));
});

test('the estimate of a job includes the tensors that it loads', () => {
  const uploaded = {
    ...catalog.summary('digits')!,
    id: 'dst_1',
    splits: {
      train: { examples: 1000, examplesPerClass: [] },
      test: { examples: 0, examplesPerClass: [] },
    },
  };
  const load = () => Promise.reject(new Error('not loaded'));
  const stored = createCatalog({ uploaded: [uploaded], load, admit() {}, maxBytes: 0 });
  const difference =
    trainingJobBytes({ ...training([40]), dataset: 'dst_1' }, stored)! -
    trainingJobBytes(training([40]), catalog)!;
  assert.equal(difference, 785_000);
});

test('the memory of a training and of its data set grows with the values of the images', () => {
  const summaryOf = (imageShape: DatasetSummary['imageShape']): DatasetSummary => ({
    ...catalog.summary('digits')!,
    id: `dst_${imageShape.join('_')}`,
    imageShape,
    splits: {
      train: { examples: 1000, examplesPerClass: [] },
      test: { examples: 0, examplesPerClass: [] },
    },
  });
  const summaries = [summaryOf([8, 8]), summaryOf([28, 28]), summaryOf([64, 64, 3])];
  const load = () => Promise.reject(new Error('not loaded'));
  const stored = createCatalog({ uploaded: summaries, load, admit() {}, maxBytes: 0 });
  assert.deepEqual(
    summaries.map(({ id }) => stored.loadedBytes(id)),
    [65_000, 785_000, 12_289_000],
  );
  const bytes = summaries.map(({ id }) => trainingJobBytes({ ...training([40]), dataset: id }, stored)!);
  // At least the weights of the first layer, and as many gradients, in four bytes.
  for (const [n, values] of [
    [1, 784 - 64],
    [2, 12_288 - 784],
  ] as const)
    assert.ok(bytes[n]! - bytes[n - 1]! > 1000 * values + 2 * 4 * 40 * values, `${bytes}`);
  const wide = { ...training([40_000]), dataset: 'dst_64_64_3' };
  const small = createMemoryLedger({ limit: 2048 * MEBIBYTE });
  assert.doesNotThrow(() => assertTrainingFits(small, { ...wide, dataset: 'dst_8_8' }, stored));
  assert.throws(
    () => assertTrainingFits(small, wide, stored),
    refusal(/Training a 12288-40000-10 network takes about \d+ MiB/),
  );
});

test('an upload reserves memory for every value of its images', () => {
  const ledger = createMemoryLedger({ limit: 1024 * MEBIBYTE, base: 0 });
  const reserved = (imageShape: DatasetSummary['imageShape'], images = 10_000) => {
    using _upload = reserveUpload(ledger, { images, chosen: { imageShape, reason: '' }, extraBytes: 0 });
    return ledger.used();
  };
  const [grey, colour] = [reserved([32, 32]), reserved([32, 32, 3])];
  // Twice 1,024 values more, and the copy of a split that is held out.
  assert.equal(colour - grey, 10_000 * 2048 * 1.5);
  assert.equal(ledger.used(), 0);
  const most = Math.floor(largestUpload(ledger) / (64 * 64 * 3 + 1));
  assert.throws(() => reserved([64, 64, 3], 2 * most), /Checking a data set of [\d,]+ images/);
  assert.throws(() => reserved([64, 64, 3], most + 1), AtelierError);
});

test('an upload reserves a base for its thread and, per image, its values, its label and its digest', () => {
  const budget = 1000 * MEBIBYTE;
  const ledger = createMemoryLedger({ limit: budget, base: 0 });
  assert.equal(largestUpload(ledger), Math.floor(((1000 - 72) * 2 ** 20) / 1.5));
  const reserved = (chosen: MeasuredUpload['chosen']) => {
    using _upload = reserveUpload(ledger, { images: 10, chosen, extraBytes: 7 });
    return ledger.used();
  };
  assert.equal(reserved(null), 72 * 2 ** 20 + 7);
  assert.equal(reserved({ imageShape: [4, 5], reason: '' }), 72 * 2 ** 20 + 7 + 10 * (1.5 * 21 + 200));
});

test('a data set that is larger than the memory is never loaded, and others reserve nothing for long', () => {
  const ledger = createMemoryLedger({ limit: 256 * MEBIBYTE, base: 0 });
  const summary = catalog.summary('digits')!;
  const withImages = (examples: number) => ({
    ...summary,
    splits: { ...summary.splits, train: { examples, examplesPerClass: [] } },
  });
  const most = Math.floor((256 * MEBIBYTE) / 785);
  admitDataset(ledger, withImages(most));
  assert.equal(ledger.used(), 0);
  assert.throws(() => admitDataset(ledger, withImages(most + 1)), /Loading data set digits takes about/);
});
