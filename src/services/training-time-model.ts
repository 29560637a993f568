/** Time of a training by its parts: start, gradient check, steps and evaluations, for given times of one image. */
import { availableParallelism } from 'node:os';
import type { Dataset } from '../domain/dataset.ts';
import type { ResolvedTrainingRequest, TrainingJob } from '../domain/training-job.ts';
import { forwardCost } from '../numerics/forward.ts';
import {
  evaluationMicroseconds,
  inspectionMicroseconds,
  trainingMicroseconds,
} from '../numerics/kernel-time.ts';
import { parameterCount } from '../numerics/network.ts';
import { DEAD_UNIT_IMAGES } from '../numerics/training-loop.ts';
import type { TrainingTimes } from '../workers/messages.ts';
import { layerSizesFor } from './build-plan.ts';
import { heldOutCount } from './resolve-training.ts';

export type Training = Pick<ResolvedTrainingRequest, 'network' | 'training' | 'testSet'>;

/** Measured: start of the thread, and preparation of the data; then seconds per parameter. */
const START = { constant: 0.2, perParameter: 1.2e-7 };
const GRADIENT_CHECK = { constant: 0.015, perParameter: 5e-8 };
/**
 * Gain of each thread after the first, while there are cores: more for larger steps, in which the threads wait less for one
 * another. Fitted to bench/results/scaling.md: 0.74 for 784-16-10, 0.92 for 784-1024-10.
 */
const THREAD_GAIN = { constant: 0.74, perDoubling: 0.03, at: 12_704, largest: 0.95 };

/** Estimated seconds of the steps of a job that is not timed, by a model of the kernel. */
export function modelledSeconds(
  { training, progress }: Pick<TrainingJob, 'training' | 'progress'>,
  layerSizes: readonly number[],
): number {
  const images = progress.steps * training.batchSize;
  return (
    START.constant +
    (images * trainingMicroseconds(layerSizes, training)) / speedUp(training.threads, layerSizes) / 1e6
  );
}

/** Seconds of an epoch with its evaluations on one core, by a model of the kernel that is not calibrated to this machine. */
export function modelledEpochSeconds(request: Training, dataset: Dataset): number {
  return totalMs(epochMs(request, dataset, modelledTimes(request, dataset))) / 1000;
}

export function modelledTimes({ network, training }: Training, dataset: Dataset): TrainingTimes {
  const layerSizes = layerSizesFor(network.hidden, dataset);
  return {
    training: trainingMicroseconds(layerSizes, training),
    evaluation: evaluationMicroseconds(layerSizes),
    inspection: inspectionMicroseconds(layerSizes),
  };
}

/** Predicted durations of the steps and of the evaluations of an epoch. */
export function epochMs(request: Training, dataset: Dataset, times: TrainingTimes) {
  const layerSizes = layerSizesFor(request.network.hidden, dataset);
  const trained = trainedCount(request, dataset);
  const tested = request.testSet === 'every-epoch' ? dataset.test.labels.length : 0;
  const evaluated = heldOutCount(request, dataset) + tested;
  const inspected = Math.min(trained, DEAD_UNIT_IMAGES);
  return {
    steps: (trained * times.training) / speedUp(request.training.threads, layerSizes) / 1000,
    evaluation: (evaluated * times.evaluation + inspected * times.inspection) / 1000,
  };
}

export const totalMs = ({ steps, evaluation }: ReturnType<typeof epochMs>) => steps + evaluation;

export const trainedCount = (request: Training, dataset: Dataset) =>
  dataset.train.labels.length - heldOutCount(request, dataset);

function speedUp(threads: number, layerSizes: readonly number[]): number {
  const { constant, perDoubling, at, largest } = THREAD_GAIN;
  const gain = Math.min(largest, constant + perDoubling * Math.log2(forwardCost(layerSizes) / at));
  return 1 + gain * (Math.min(threads, availableParallelism()) - 1);
}

const affine = (model: { constant: number; perParameter: number }, parameters: number) =>
  model.constant + model.perParameter * parameters;

export const startSeconds = (layerSizes: readonly number[]): number =>
  affine(START, parameterCount(layerSizes));
export const gradientCheckSeconds = (layerSizes: readonly number[]): number =>
  affine(GRADIENT_CHECK, parameterCount(layerSizes));
