/** Converts a training request and a data set into the plan of the training loop. */
import type { Dataset } from '../../domain/datasets/representation.ts';
import type { TrainingRequest } from '../../domain/jobs/request.ts';
import type { Distillation } from '../../numerics/examples/distillation.ts';
import { valueCount } from '../../numerics/network/image-shape.ts';
import type { LayerSizes, Parameters, Standardization } from '../../numerics/network/layers.ts';
import type { TrainingPlan } from '../../numerics/training/plan.ts';

/** The state that a warm start begins with. */
export interface InitialState {
  readonly parameters: Parameters;
  readonly standardization: Standardization | null;
}

export function layerSizesFor(
  hidden: readonly number[],
  { imageShape, classNames }: Pick<Dataset, 'imageShape' | 'classNames'>,
): LayerSizes {
  return [valueCount(imageShape), ...hidden, classNames.length];
}

export function buildTrainingPlan(
  { network, training, seed }: Pick<TrainingRequest, 'network' | 'training' | 'seed'>,
  dataset: Dataset,
  start: InitialState | null,
  distillation: Distillation | null,
): TrainingPlan {
  // Threads and checkpoints do not change the result.
  const { threads, checkpointEverySeconds, keepCheckpoints, validation, budget, ...options } = training;
  const { learningRate, ...optimizer } = options.optimizer;
  return {
    ...options,
    imageShape: dataset.imageShape,
    layerSizes: layerSizesFor(network.hidden, dataset),
    activation: network.activation,
    initialization: network.init,
    initialParameters: start?.parameters ?? null,
    seed,
    optimizer,
    learningRate,
    // Parameters trained on standardized pixels require the same mean and deviation.
    standardize: start === null ? training.standardize : (start.standardization ?? false),
    distillation,
    validationFraction: validation?.fraction ?? null,
    targetValidationAccuracy: budget?.targetValidationAccuracy ?? null,
    stopAtStep: null,
  };
}
