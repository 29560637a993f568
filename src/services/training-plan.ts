/** A training request, together with its data set → what the training loop is told. */
import { type Dataset, IMAGE_PIXELS } from '../domain/dataset.ts';
import type { TrainingRequest } from '../domain/training-job.ts';
import { PLAIN_OBJECTIVE } from '../numerics/engine.ts';
import type { LayerSizes } from '../numerics/network.ts';
import type { TrainingPlan } from '../numerics/training-plan.ts';

export function layerSizesOf(hidden: readonly number[], dataset: Dataset): LayerSizes {
  return [IMAGE_PIXELS, ...hidden, dataset.classNames.length];
}

export function trainingPlan(request: TrainingRequest, dataset: Dataset): TrainingPlan {
  const { network, training, seed } = request;
  return {
    ...PLAIN_OBJECTIVE,
    layerSizes: layerSizesOf(network.hidden, dataset),
    activation: network.activation,
    initialization: network.init,
    initialParameters: null,
    seed,
    epochs: training.epochs,
    batchSize: training.batchSize,
    optimizer: { type: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 },
    learningRate: training.optimizer.learningRate,
    schedule: training.schedule,
    clipNorm: null,
    l2: training.l2,
    classWeights: null,
    standardize: false,
    validationFraction: training.validation?.fraction ?? null,
    earlyStopping: null,
    targetValidationAccuracy: null,
    stopAtStep: null,
  };
}
