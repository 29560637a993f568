/** Converts a training request and a data set into the plan of the training loop. */

import type { Dataset } from '../../domain/datasets/representation.ts';
import type { TrainingRequest } from '../../domain/jobs/request.ts';
import type { Distillation } from '../../numerics/examples/distillation.ts';
import type { Architecture } from '../../numerics/network/architecture.ts';
import type { Parameters, Standardization } from '../../numerics/network/layers.ts';
import type { TrainingPlan } from '../../numerics/training/plan.ts';
import { selectExamples } from './examples.ts';

/** The state that a warm start begins with. */
export interface InitialState {
  readonly parameters: Parameters;
  readonly standardization: Standardization | null;
}

export function architectureFor(
  { convolutions, norm, hidden }: Pick<TrainingRequest['network'], 'convolutions' | 'norm' | 'hidden'>,
  { imageShape, classNames }: Pick<Dataset, 'imageShape' | 'classNames'>,
): Architecture {
  return {
    inputShape: imageShape,
    convolutions: convolutions.map((stage) => [stage].flat()),
    norm,
    hidden,
    classes: classNames.length,
  };
}

export function buildTrainingPlan(
  { network, training, seed }: Pick<TrainingRequest, 'network' | 'training' | 'seed'>,
  dataset: Dataset,
  start: InitialState | null,
  distillation: Distillation | null,
): TrainingPlan {
  // Threads and checkpoints do not change the result.
  const {
    threads,
    checkpointEverySeconds,
    keepCheckpoints,
    validation,
    trainOnValidation,
    budget,
    ...options
  } = training;
  const { learningRate, ...optimizer } = options.optimizer;
  return {
    ...options,
    architecture: architectureFor(network, dataset),
    activation: network.activation,
    initialization: network.init,
    initialParameters: start?.parameters ?? null,
    seed,
    optimizer,
    learningRate,
    // Parameters trained on standardized pixels require the same mean and deviation.
    standardize: start === null ? training.standardize : (start.standardization ?? false),
    distillation,
    holdout: selectExamples({ validation, trainOnValidation }, dataset).holdout,
    targetValidationAccuracy: budget?.targetValidationAccuracy ?? null,
    stopAtStep: null,
  };
}
