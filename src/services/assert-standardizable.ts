/** Rejects standardization of constant pixels, whose standard deviation is 0. */
import { type Dataset, IMAGE_PIXELS } from '../domain/dataset.ts';
import type { TrainingRequest } from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import { countTrainingExamples, splitByClass } from '../numerics/batches.ts';
import { isUniform } from '../numerics/dataset-statistics.ts';

/** @throws AtelierError `impossible-request` if all pixels of the training split are equal */
export function assertStandardizable(
  { training, seed }: Pick<TrainingRequest, 'training' | 'seed'>,
  { id, train }: Dataset,
): void {
  const fraction = training.validation?.fraction ?? null;
  if (!training.standardize || isVaried(train, fraction)) return;
  const part = splitByClass(train.labels, fraction, seed).train;
  if (!isUniform(train, part, IMAGE_PIXELS)) return;
  const value = train.pixels[part[0]! * IMAGE_PIXELS];
  throw new AtelierError(
    'impossible-request',
    `All pixels of the ${part.length} training images of data set ${id} are ${value}, so they cannot be standardized. ` +
      'Omit standardize.',
    {
      details: [{ pointer: '#/training/standardize', detail: 'must be false if all pixels are equal' }],
    },
  );
}

/**
 * Whether more images have varied pixels than are held out, so that the training split contains one. This is nearly always
 * true and takes about a millisecond, while the split itself would block the main thread for ten.
 */
function isVaried(train: Dataset['train'], fraction: number | null): boolean {
  const images = train.labels.length;
  let heldOut = images - countTrainingExamples(train.labels, fraction);
  for (let n = 0; n < images && heldOut >= 0; n++) {
    if (!isUniform(train, Uint32Array.of(n), IMAGE_PIXELS)) heldOut--;
  }
  return heldOut < 0;
}
