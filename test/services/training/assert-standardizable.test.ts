import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitByClass } from '../../../src/numerics/examples/batches.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../../src/numerics/network/image-shape.ts';
import { assertStandardizable } from '../../../src/services/training/assert-standardizable.ts';
import { failure, request } from '../../store/fixtures.ts';

test('images of which only those held out vary cannot be standardized', () => {
  const labels = new Uint8Array(10);
  const pixels = new Uint8Array(10 * 784);
  const { training } = request();
  const body = { seed: 1, training: { ...training, standardize: true, validation: { fraction: 0.2 } } };
  const train = { pixels, labels };
  const dataset = {
    id: 'd',
    imageShape: DEFAULT_IMAGE_SHAPE,
    classNames: ['a'],
    digest: 'd',
    train,
    validation: null,
    learning: train,
    test: train,
  };
  const split = splitByClass(labels, 0.2, body.seed);
  for (const n of split.validation) pixels[n * 784] = 255;
  assert.throws(
    () => assertStandardizable(body, dataset),
    failure('impossible-request', '8 training images'),
  );
  pixels[split.train[0]! * 784] = 255;
  assertStandardizable(body, dataset);
});
