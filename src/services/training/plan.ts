/** Converts a training request and a data set into the plan of the training loop. */
import { type Dataset, IMAGE_PIXELS } from '../../domain/datasets/representation.ts';
import type { TrainingRequest } from '../../domain/jobs/training.ts';
import type { Distillation } from '../../numerics/examples/distillation.ts';
import type { LayerSizes, Parameters, Standardization } from '../../numerics/network/layers.ts';
import type { TrainingPlan } from '../../numerics/training/plan.ts';

/** The state that a warm start begins with. */
export interface InitialState {
  readonly parameters: Parameters;
  readonly standardization: Standardization | null;
}

export function layerSizesFor(
  hidden: readonly number[],
  { classNames }: Pick<Dataset, 'classNames'>,
): LayerSizes {
  return [IMAGE_PIXELS, ...hidden, classNames.length];
}

export function buildTrainingPlan(
  { network, training, seed }: Pick<TrainingRequest, 'network' | 'training' | 'seed'>,
  dataset: Dataset,
  start: InitialState | null,
  distillation: Distillation | null,
): TrainingPlan {
  const { learningRate, ...optimizer } = training.optimizer;
  return {
    layerSizes: layerSizesFor(network.hidden, dataset),
    activation: network.activation,
    initialization: network.init,
    initialParameters: start?.parameters ?? null,
    seed,
    epochs: training.epochs,
    batchSize: training.batchSize,
    optimizer,
    learningRate,
    schedule: training.schedule,
    l1: training.l1,
    l2: training.l2,
    dropout: training.dropout,
    labelSmoothing: training.labelSmoothing,
    clipNorm: training.clipNorm,
    ema: training.ema,
    classWeights: training.classWeights,
    // Parameters trained on standardized pixels require the same mean and deviation.
    standardize: start === null ? training.standardize : (start.standardization ?? false),
    augmentation: training.augmentation,
    mixup: training.mixup,
    distillation,
    validationFraction: training.validation?.fraction ?? null,
    earlyStopping: training.earlyStopping,
    targetValidationAccuracy: training.budget?.targetValidationAccuracy ?? null,
    stopAtStep: null,
  };
}
