/** A training that is to standardise pixels of which nothing would be left. */
import { type Dataset, IMAGE_PIXELS } from '../domain/dataset.ts';
import type { TrainingJobRequest } from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import { splitByClass } from '../numerics/batches.ts';
import { isUniform } from '../numerics/training-part.ts';

/** @throws AtelierError `impossible-request` where all pixels that would be trained on are the same */
export function assertStandardizable(
  { training, seed }: Pick<TrainingJobRequest, 'training' | 'seed'>,
  { id, train }: Dataset,
): void {
  if (!training.standardize) return;
  const part = splitByClass(train.labels, training.validation?.fraction ?? null, seed).train;
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
