/** Splits a test split off the training images. */
import { IMAGE_PIXELS } from '../../domain/datasets/representation.ts';
import { splitByClass } from '../../numerics/examples/batches.ts';
import type { Examples } from '../../numerics/training/engine.ts';
import type { Tensors } from '../tensor-cache.ts';
import { rejectPart } from './reject-part.ts';

/**
 * Moves the same fraction of each class to the test split; the seed decides which images. The remaining images are
 * compacted in the given arrays, so that they are not in memory twice.
 * @throws AtelierError `invalid-dataset-file` if the fraction of every class rounds to no image
 */
export function splitTest({ pixels, labels }: Examples, fraction: number, seed: number): Tensors {
  const { train, validation: testIndices } = splitByClass(labels, fraction, seed);
  if (testIndices.length === 0) {
    rejectPart(
      'testFraction',
      `${fraction} of each class is no image; send a larger fraction, or more images`,
    );
  }
  const test = {
    pixels: new Uint8Array(testIndices.length * IMAGE_PIXELS),
    labels: new Uint8Array(testIndices.length),
  };
  for (const [to, from] of testIndices.entries()) {
    test.pixels.set(imageRow(pixels, from), to * IMAGE_PIXELS);
    test.labels[to] = labels[from]!;
  }
  // The indices ascend, so no image is overwritten before it has been moved.
  for (const [to, from] of train.entries()) {
    pixels.set(imageRow(pixels, from), to * IMAGE_PIXELS);
    labels[to] = labels[from]!;
  }
  return {
    train: {
      pixels: pixels.subarray(0, train.length * IMAGE_PIXELS),
      labels: labels.subarray(0, train.length),
    },
    test,
  };
}

export function imageRow(pixels: Uint8Array, image: number): Uint8Array {
  return pixels.subarray(image * IMAGE_PIXELS, (image + 1) * IMAGE_PIXELS);
}
