/** Finds duplicate and constant images in a data set. */
import { hash } from 'node:crypto';
import { type DatasetReport, type Duplicates, MAX_PAIRS } from '../../domain/datasets/report.ts';
import type { Examples } from '../../numerics/training/engine.ts';
import type { Tensors } from '../tensor-cache.ts';
import { imageRow } from './split-test.ts';

/** Index of the first occurrence of an image, by the SHA-256 of its pixels. */
type Seen = Map<string, number>;

/**
 * Counts images that repeat an earlier image of their split, and images that are also in a split before theirs. An image can
 * count as both.
 */
export function findDuplicates({ train, validation, test }: Tensors): DatasetReport['duplicates'] {
  const inTrain: Seen = new Map();
  const inValidation: Seen = new Map();
  const inTest: Seen = new Map();
  const found = { train: noDuplicates(), test: noDuplicates(), across: noDuplicates() };
  const ofValidation = {
    validation: noDuplicates(),
    validationInTrain: noDuplicates(),
    testInValidation: noDuplicates(),
  };
  for (const [n, key] of imageHashes(train)) recordImage(found.train, inTrain, key, n, train, train);
  for (const [n, key] of validation ? imageHashes(validation) : []) {
    recordImage(ofValidation.validation, inValidation, key, n, validation!, validation!);
    if (inTrain.has(key)) recordImage(ofValidation.validationInTrain, inTrain, key, n, train, validation!);
  }
  for (const [n, key] of imageHashes(test)) {
    recordImage(found.test, inTest, key, n, test, test);
    if (inTrain.has(key)) recordImage(found.across, inTrain, key, n, train, test);
    if (inValidation.has(key))
      recordImage(ofValidation.testInValidation, inValidation, key, n, validation!, test);
  }
  return validation ? { ...found, ...ofValidation } : found;
}

const noDuplicates = (): Duplicates => ({ images: 0, withOtherLabel: 0, first: [] });

function* imageHashes({ pixels, labels }: Examples): Iterable<[number, string]> {
  for (let n = 0; n < labels.length; n++)
    yield [n, hash('sha256', imageRow(pixels, pixels.length / labels.length, n), 'base64url')];
}

function recordImage(
  found: Duplicates,
  seen: Seen,
  key: string,
  n: number,
  before: Examples,
  now: Examples,
): void {
  const first = seen.get(key);
  if (first === undefined) return void seen.set(key, n);
  found.images++;
  if (before.labels[first] !== now.labels[n]) found.withOtherLabel++;
  if (found.first.length < MAX_PAIRS) found.first.push([first, n]);
}

/** Counts images whose pixels are all equal. */
export function countConstant({ pixels, labels }: Examples): number {
  let count = 0;
  for (let n = 0; n < labels.length; n++) {
    const image = imageRow(pixels, pixels.length / labels.length, n);
    if (image.every((pixel) => pixel === image[0])) count++;
  }
  return count;
}
