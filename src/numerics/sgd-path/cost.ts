/** Time and memory of an SGD path, estimated before it is computed. */

import { countTrainingExamples, stepsPerEpoch } from '../examples/batches.ts';
import { parameterCount } from '../network/architecture.ts';
import { forwardBytes } from '../simd/kernel-forward.ts';
import type { Examples } from '../training/engine.ts';
import { evaluationMicroseconds, trainingMicroseconds } from '../training/kernel-time.ts';
import { DEAD_UNIT_IMAGES } from '../training/loop.ts';
import { trainingBytes } from '../training/memory.ts';
import type { TrainingPlan } from '../training/plan.ts';

/** A path to compute: everything that its time and memory depend on. */
export interface SgdPathPlan {
  readonly plan: TrainingPlan;
  readonly train: Examples;
  /** Steps that the training took. */
  readonly steps: number;
  readonly snapshots: number;
  /** Points of the surface in each direction. */
  readonly grid: number;
  /** Number of training images whose loss is measured; at most all of the training split. */
  readonly examples: number;
}

/** Time per parameter to compute a point of the plane and to write it to the kernel, in microseconds. */
const POINT_PER_PARAMETER = 3e-3;
/** Time of a multiply-add of the Gram matrix, in microseconds. */
const GRAM_MULTIPLY_ADD = 1.5e-3;

/** Seconds of training again. */
export function retrainingSeconds({ plan, train, steps }: SgdPathPlan): number {
  const { architecture, batchSize, holdout } = plan;
  const trained = countTrainingExamples(train.labels, holdout);
  const heldOut = train.labels.length - trained;
  const epochs = Math.ceil(steps / stepsPerEpoch(trained, batchSize));
  const evaluated = heldOut + Math.min(trained, DEAD_UNIT_IMAGES);
  const betweenEpochs = evaluated * evaluationMicroseconds(architecture);
  const images = Math.min(steps * batchSize, epochs * trained);
  return (images * trainingMicroseconds(architecture, plan) + epochs * betweenEpochs) / 1e6;
}

/** Seconds of the components, the surface and the losses of the path. */
export function planeSeconds({ plan, snapshots, grid, examples }: SgdPathPlan): number {
  const parameters = parameterCount(plan.architecture);
  const components = parameters * (snapshots ** 2 / 2) * GRAM_MULTIPLY_ADD;
  const perPoint = parameters * POINT_PER_PARAMETER + examples * evaluationMicroseconds(plan.architecture);
  return (components + (grid ** 2 + 2 * snapshots) * perPoint) / 1e6;
}

/** Peak memory: the training in one thread, the snapshots, the plane, and the kernel that measures losses. */
export function sgdPathBytes({ plan, snapshots, train }: SgdPathPlan): number {
  const { architecture } = plan;
  const training = trainingBytes(architecture, plan, train.labels.length);
  // float32 snapshots; float64: mean, two components and their copies, and the point to measure.
  const vectors = 4 * snapshots + 8 * 6;
  return training + vectors * parameterCount(architecture) + forwardBytes(architecture);
}
