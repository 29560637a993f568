/** Rejects standardization if all training pixels are equal: their deviation is 0. */
import { type Dataset, IMAGE_PIXELS } from '../../domain/datasets/representation.ts';
import type { TrainingRequest } from '../../domain/jobs/request.ts';
import { AtelierError } from '../../errors.ts';
import { countTrainingExamples, splitByClass } from '../../numerics/examples/batches.ts';
import { isUniform } from '../../numerics/examples/statistics.ts';

/** @throws AtelierError `impossible-request` if all pixels of the training split are equal */
export function assertStandardizable(
  { training, seed }: Pick<TrainingRequest, 'training' | 'seed'>,
  { id, train }: Dataset,
): void {
  const fraction = training.validation?.fraction ?? null;
  if (!training.standardize || isCertainlyVaried(train, fraction)) return;
  const trainingIndices = splitByClass(train.labels, fraction, seed).train;
  if (!isUniform(train, trainingIndices, IMAGE_PIXELS)) return;
  const value = train.pixels[trainingIndices[0]! * IMAGE_PIXELS];
  throw new AtelierError(
    'impossible-request',
    `All pixels of the ${trainingIndices.length} training images of data set ${id} are ${value}, so they cannot be standardized. ` +
      'Omit standardize.',
    {
      details: [{ pointer: '#/training/standardize', detail: 'must be false if all pixels are equal' }],
    },
  );
}

/**
 * A fast sufficient check: if more images are not uniform than are held out for validation, at least one of them is in the
 * training split. It nearly always suffices and takes about a millisecond; the split itself would block the main thread
 * for ten.
 */
function isCertainlyVaried(train: Dataset['train'], fraction: number | null): boolean {
  const images = train.labels.length;
  const heldOut = images - countTrainingExamples(train.labels, fraction);
  let varied = 0;
  for (let n = 0; n < images && varied <= heldOut; n++) {
    if (!isUniform(train, Uint32Array.of(n), IMAGE_PIXELS)) varied++;
  }
  return varied > heldOut;
}
