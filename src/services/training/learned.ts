/** Whether a training learned more than which class is the largest. */
import type { Dataset } from '../../domain/datasets/representation.ts';
import type { EpochRecord } from '../../domain/jobs/epoch-record.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import { majorityBaseline } from '../../numerics/evaluation/majority.ts';
import { examplesPerClass, heldOutPerClass } from '../../numerics/examples/batches.ts';
import { selectExamples } from './examples.ts';

/**
 * Compares the accuracy with always predicting the largest class, on the validation images or, without any, on the training
 * images of the epoch. Class weights trade this accuracy for the accuracy on small classes, so a training with them
 * counts as learned.
 * @param record of the epoch whose parameters are the result
 * @returns one sentence with what to do, or null if the training learned
 */
export function describeNotLearned(
  { training, search }: Pick<TrainingJob, 'training' | 'search'>,
  record: EpochRecord | undefined,
  dataset: Dataset,
): string | null {
  if (record === undefined || training.classWeights !== null) return null;
  const { epoch, validationAccuracy } = record;
  const { examples: learned, holdout } = selectExamples(training, dataset);
  const measured =
    validationAccuracy === null ? examplesPerClass(learned.labels) : heldOutPerClass(learned.labels, holdout);
  const { examples, majority, threshold } = majorityBaseline(measured);
  const accuracy = validationAccuracy ?? record.trainAccuracy;
  if (accuracy > threshold) return null;
  const split = validationAccuracy === null ? 'training' : 'validation';
  const publish = '"publish": { "evenIfNotLearned": true }';
  return (
    `The training did not learn, so no model is published: the ${split} accuracy of epoch ${epoch} is ${percent(accuracy)}, ` +
    `and always predicting the largest class is right for ${percent(majority)}; with ${examples.toLocaleString('en')} images, more than ` +
    `${percent(threshold)} shows that it learned. Change training.optimizer.learningRate, train for more epochs, or publish the ` +
    `result nevertheless with ${search === null ? publish : `"final": { ${publish} } in the search`}.`
  );
}

const percent = (fraction: number) => `${(100 * fraction).toFixed(2)} %`;
