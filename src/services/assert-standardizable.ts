/** A training that is to standardise pixels of which nothing would be left. */
import { type Dataset, IMAGE_PIXELS } from '../domain/dataset.ts';
import type { TrainingRequest } from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import { countTrainingExamples, splitByClass } from '../numerics/batches.ts';
import { isUniform } from '../numerics/dataset-statistics.ts';

/** @throws AtelierError `impossible-request` where all pixels that would be trained on are the same */
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
    `All pixels of the ${part.length} images of data set ${id} that would be trained on are ${value}: ` +
      'without their mean nothing is left of them. Leave standardize out.',
    {
      details: [{ pointer: '#/training/standardize', detail: 'must be false where all pixels are the same' }],
    },
  );
}

/**
 * Whether more images have pixels that differ than are held out, so that some of these are trained on. Nearly always so, and
 * known in about a millisecond, where the split itself keeps the main thread for ten.
 */
function isVaried(train: Dataset['train'], fraction: number | null): boolean {
  const images = train.labels.length;
  let heldOut = images - countTrainingExamples(train.labels, fraction);
  for (let n = 0; n < images && heldOut >= 0; n++) {
    if (!isUniform(train, Uint32Array.of(n), IMAGE_PIXELS)) heldOut--;
  }
  return heldOut < 0;
}
