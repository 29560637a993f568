/** Splits a test split off the training images. */

import { MAX_TEST_FRACTION } from '../../domain/datasets/upload-form.ts';
import { splitByClass } from '../../numerics/examples/batches.ts';
import { selectLabels } from '../../numerics/examples/labels.ts';
import { type ImageShape, valueCount } from '../../numerics/network/image-shape.ts';
import type { Examples } from '../../numerics/training/engine.ts';
import type { Tensors } from '../tensor-cache.ts';
import { rejectPart } from './reject-part.ts';

/**
 * Moves the same fraction of each class to the test split; the seed decides which images. The remaining images are
 * compacted in the given arrays, so that they are not in memory twice.
 * @throws AtelierError `invalid-dataset-file` if the fraction of every class rounds to no image
 */
export function splitTest(
  { pixels, labels }: Examples,
  imageShape: ImageShape,
  fraction: number,
  seed: number,
): Pick<Tensors, 'train' | 'test'> {
  const values = valueCount(imageShape);
  const { train, validation: testIndices } = splitByClass(labels, fraction, seed);
  if (testIndices.length === 0) {
    const larger = fraction < MAX_TEST_FRACTION ? `a fraction of up to ${MAX_TEST_FRACTION}, or ` : '';
    rejectPart('testFraction', `${fraction} of each class is no image; send ${larger}more images`);
  }
  const test = {
    pixels: new Uint8Array(testIndices.length * values),
    labels: selectLabels(labels, testIndices),
  };
  for (const [to, from] of testIndices.entries()) {
    test.pixels.set(imageRow(pixels, values, from), to * values);
  }
  // The indices ascend, so no image is overwritten before it has been moved.
  for (const [to, from] of train.entries()) {
    pixels.set(imageRow(pixels, values, from), to * values);
    labels[to] = labels[from]!;
  }
  return {
    train: {
      pixels: pixels.subarray(0, train.length * values),
      labels: labels.subarray(0, train.length),
    },
    test,
  };
}

/** The values of one image. */
export function imageRow(pixels: Uint8Array, values: number, image: number): Uint8Array {
  return pixels.subarray(image * values, (image + 1) * values);
}
