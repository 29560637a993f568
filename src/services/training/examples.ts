/** The images that a training learns from, and the ones of them that it holds out for validation. */
import type { Dataset } from '../../domain/datasets/representation.ts';
import { DEFAULT_FRACTION, type TrainingRequest } from '../../domain/jobs/request.ts';
import { countTrainingExamples, type Holdout } from '../../numerics/examples/batches.ts';
import type { Labels } from '../../numerics/examples/labels.ts';
import type { Examples } from '../../numerics/training/engine.ts';

export type Validation = Pick<TrainingRequest['training'], 'validation' | 'trainOnValidation'>;
type Splits = Pick<Dataset, 'train' | 'validation' | 'learning'>;

/** Fills in the default: the validation split of the data set if it has one that is not trained on, else a fraction. */
export function resolveValidation(
  { validation, trainOnValidation }: Validation,
  split: object | null,
): Validation['validation'] {
  if (validation === null || validation.split) return validation;
  const { fraction } = validation;
  const isSplit = split && !trainOnValidation && validation.split === undefined;
  return fraction === undefined && isSplit ? { split: true } : { fraction: fraction ?? DEFAULT_FRACTION };
}

/** The validation images are the last ones if they are held out, and otherwise included only on request. */
export function selectExamples(
  training: Validation,
  dataset: Splits,
): { readonly examples: Examples; readonly holdout: Holdout } {
  const validation = resolveValidation(training, dataset.validation);
  if (validation?.split) {
    return { examples: dataset.learning, holdout: { last: dataset.validation?.labels.length ?? 0 } };
  }
  const examples = training.trainOnValidation ? dataset.learning : dataset.train;
  return { examples, holdout: validation && { fraction: validation.fraction! } };
}

/** Counts by labels and fraction, because the trials of a search need the same one a thousand times. */
const heldOutCounts = new WeakMap<Labels, Map<number, number>>();

/** Numbers of images that are trained on, and that are held out for validation. */
export function countImages({ training }: { readonly training: Validation }, dataset: Splits) {
  const { examples, holdout } = selectExamples(training, dataset);
  const { labels } = examples;
  const heldOut = holdout && 'last' in holdout ? holdout.last : countHeldOut(labels, holdout?.fraction ?? 0);
  return { trained: labels.length - heldOut, heldOut };
}

function countHeldOut(labels: Labels, fraction: number): number {
  const known = heldOutCounts.get(labels) ?? new Map<number, number>();
  const count = known.get(fraction) ?? labels.length - countTrainingExamples(labels, { fraction });
  heldOutCounts.set(labels, known.set(fraction, count));
  return count;
}
