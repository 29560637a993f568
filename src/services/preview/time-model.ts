/** Time of a training by its parts: start, gradient check, steps and evaluations, for given times of one image. */

import type { Dataset } from '../../domain/datasets/representation.ts';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import { preflightCost } from '../../numerics/checks/cost.ts';
import { type Architecture, parameterCount } from '../../numerics/network/architecture.ts';
import {
  evaluationMicroseconds,
  threadedFraction,
  trainingMicroseconds,
} from '../../numerics/training/kernel-time.ts';
import { DEAD_UNIT_IMAGES } from '../../numerics/training/loop.ts';
import type { TrainingTimes } from '../../workers/tasks/time-training.ts';
import { countImages } from '../training/examples.ts';
import { architectureFor } from '../training/plan.ts';
import { usableThreads } from '../training/usable-threads.ts';

export type Training = Pick<ResolvedTrainingRequest, 'network' | 'training' | 'testSet'>;

/**
 * Measured: start of the thread, preparation of the data and first, slower steps; then seconds per further thread and per
 * parameter. `node bench/fit-time.ts` prints the sum of both constants.
 */
const START = { constant: 0.15, perThread: 0.03, perParameter: 1.2e-7 };
/** The last one of networks with convolutions: 1.4·10⁹ multiply-adds took 2.5 s of a processor of 2 GHz beside other work. */
const GRADIENT_CHECK = { constant: 0.015, perParameter: 5e-8, perMultiplyAdd: 1.5e-9 };

/** Microseconds of an image in a step, by the model of the kernel. */
function imageMicroseconds(
  { network, training }: Pick<Training, 'network' | 'training'>,
  architecture: Architecture,
): number {
  const alone = trainingMicroseconds(architecture, { ...training, activation: network.activation });
  return alone * threadedFraction(alone, usableThreads(training.threads));
}

/** Estimated seconds of the steps of a job that is not timed, by a model of the kernel. */
export function modelledSeconds(
  job: Pick<TrainingJob, 'network' | 'training' | 'progress'>,
  architecture: Architecture,
): number {
  const { training, progress } = job;
  const images = progress.steps * training.batchSize;
  return START.constant + (images * imageMicroseconds(job, architecture)) / 1e6;
}

/** Seconds of an epoch with its evaluations, by a model of the kernel that is not calibrated to this machine. */
export function modelledEpochSeconds(request: Training, dataset: Dataset): number {
  return totalMs(epochMs(request, dataset, modelledTimes(request, dataset))) / 1000;
}

export function modelledTimes(request: Training, dataset: Dataset): TrainingTimes {
  const architecture = architectureFor(request.network, dataset);
  return {
    training: imageMicroseconds(request, architecture),
    evaluation: evaluationMicroseconds(architecture),
  };
}

/** Predicted durations of the steps and of the evaluations of an epoch. */
export function epochMs(request: Training, dataset: Dataset, times: TrainingTimes) {
  const trained = trainedCount(request, dataset);
  const tested = request.testSet === 'every-epoch' ? dataset.test.labels.length : 0;
  const evaluated = countImages(request, dataset).heldOut + tested + Math.min(trained, DEAD_UNIT_IMAGES);
  return {
    steps: (trained * times.training) / 1000,
    evaluation: (evaluated * times.evaluation) / 1000,
  };
}

export const totalMs = ({ steps, evaluation }: ReturnType<typeof epochMs>) => steps + evaluation;

export const trainedCount = (request: Training, dataset: Dataset) => countImages(request, dataset).trained;

export const startSeconds = (architecture: Architecture, training: Training['training']): number =>
  START.constant +
  START.perThread * (usableThreads(training.threads) - 1) +
  START.perParameter * parameterCount(architecture);
export const gradientCheckSeconds = (architecture: Architecture): number =>
  GRADIENT_CHECK.constant +
  GRADIENT_CHECK.perParameter * parameterCount(architecture) +
  (architecture.convolutions.length > 0 ? GRADIENT_CHECK.perMultiplyAdd * preflightCost(architecture) : 0);
