/** Trainings with too few steps to learn: the warning, and the epochs and the batch size to use instead. */
import { stepsPerEpoch } from '../../numerics/examples/batches.ts';
import type { TrainingRequest } from '../jobs/request.ts';

/** With fewer steps, networks from random parameters are far from what they can learn. */
const FEW_STEPS = 500;
/**
 * Measured with the default network on 60 to 2,000 images of Fashion-MNIST: the test accuracy grows most up to so many
 * steps, and hardly depends on the batch size.
 */
const ENOUGH_STEPS = 2000;
const SMALL_BATCH = 16;

export interface FewSteps {
  readonly message: string;
  readonly suggested: { readonly epochs: number; readonly batchSize: number };
}

/**
 * A training with the suggested values is not warned of again.
 * @param images number of images that are trained on
 * @returns null for enough steps, and for a warm start: it begins with trained parameters
 */
export function warnOfFewSteps(
  { training, warmStart }: Pick<TrainingRequest, 'training' | 'warmStart'>,
  images: number,
): FewSteps | null {
  const steps = training.epochs * stepsPerEpoch(images, training.batchSize);
  if (steps >= FEW_STEPS || warmStart !== null) return null;
  const batchSize = Math.min(training.batchSize, SMALL_BATCH);
  // A round number: one digit that is not 0.
  const enough = Number((ENOUGH_STEPS / stepsPerEpoch(images, batchSize)).toPrecision(1));
  const epochs = Math.max(training.epochs, Math.ceil(enough));
  return {
    message: `${steps} steps: likely too few. Suggested: epochs ${epochs}, batch size ${batchSize}.`,
    suggested: { epochs, batchSize },
  };
}
