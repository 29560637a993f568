/** Rejects standardization if all training pixels are equal, or one channel of them: their deviation is 0. */
import type { Dataset } from '../../domain/datasets/representation.ts';
import type { TrainingRequest } from '../../domain/jobs/request.ts';
import { AtelierError } from '../../errors.ts';
import { countTrainingExamples, type Holdout, holdOut } from '../../numerics/examples/batches.ts';
import { uniformChannel } from '../../numerics/examples/statistics.ts';
import { channelCount, type ImageShape, valueCount } from '../../numerics/network/image-shape.ts';
import type { Examples } from '../../numerics/training/engine.ts';
import { selectExamples } from './examples.ts';

/** @throws AtelierError `impossible-request` if all pixels of the training split, or one channel of them, are equal */
export function assertStandardizable(
  { training, seed }: Pick<TrainingRequest, 'training' | 'seed'>,
  dataset: Dataset,
): void {
  const { id, imageShape } = dataset;
  const { examples: train, holdout } = selectExamples(training, dataset);
  if (!training.standardize || isCertainlyVaried(train, imageShape, holdout)) return;
  const trainingIndices = holdOut(train.labels, holdout, seed).train;
  const channel = uniformChannel(train, trainingIndices, imageShape);
  if (channel === null) return;
  const value = train.pixels[trainingIndices[0]! * valueCount(imageShape) + channel];
  const what = channelCount(imageShape) === 1 ? 'pixels' : `${['red', 'green', 'blue'][channel]} values`;
  throw new AtelierError(
    'impossible-request',
    `All ${what} of the ${trainingIndices.length} training images of data set ${id} are ${value}, so they cannot be standardized. ` +
      'Omit standardize.',
    {
      details: [{ pointer: '#/training/standardize', detail: `must be false if all ${what} are equal` }],
    },
  );
}

/**
 * A fast sufficient check: if more images are not uniform than are held out for validation, at least one of them is in the
 * training split. It nearly always suffices and takes about a millisecond; the split itself would block the main thread
 * for ten.
 */
function isCertainlyVaried(train: Examples, shape: ImageShape, holdout: Holdout): boolean {
  const images = train.labels.length;
  const heldOut = images - countTrainingExamples(train.labels, holdout);
  let varied = 0;
  for (let n = 0; n < images && varied <= heldOut; n++) {
    if (uniformChannel(train, Uint32Array.of(n), shape) === null) varied++;
  }
  return varied > heldOut;
}
