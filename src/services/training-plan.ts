/** A training request, together with its data set → what the training loop is told. */
import { type Dataset, IMAGE_PIXELS } from '../domain/dataset.ts';
import type { TrainingRequest } from '../domain/training-job.ts';
import type { LayerSizes } from '../numerics/network.ts';
import type { TrainingPlan } from '../numerics/training-loop.ts';

export function layerSizesOf(hidden: readonly number[], dataset: Dataset): LayerSizes {
  return [IMAGE_PIXELS, ...hidden, dataset.classNames.length];
}

export function trainingPlan(request: TrainingRequest, dataset: Dataset): TrainingPlan {
  const { network, training, seed } = request;
  return {
    layerSizes: layerSizesOf(network.hidden, dataset),
    seed,
    epochs: training.epochs,
    batchSize: training.batchSize,
    learningRate: training.optimizer.learningRate,
    schedule: training.schedule,
    l2: training.l2,
    validationFraction: training.validation?.fraction ?? null,
  };
}
