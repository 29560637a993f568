/** Estimated time of the kernel, in microseconds of one thread; fitted to measurements on a common server. */
import { forwardCost } from './forward.ts';
import type { LayerSizes } from './network.ts';

/** Time of one image: a constant, and picoseconds per multiply-add of its forward pass. */
const TRAINING = { constant: 0.484, perMultiplyAdd: 51.2e-6 };
const EVALUATION = { constant: 0.3, perMultiplyAdd: 25e-6 };
/** Multiply-adds of the float64 reference, which inspects the network after each epoch. */
const REFERENCE_PER_MULTIPLY_ADD = 0.5e-3;

/** Forward pass, gradient and update for one image of a batch. Within −11 … +7 % of bench/results/scaling.md. */
export function trainingMicroseconds(sizes: LayerSizes): number {
  return TRAINING.constant + TRAINING.perMultiplyAdd * forwardCost(sizes);
}

/** Forward pass and loss of one image. */
export function evaluationMicroseconds(sizes: LayerSizes): number {
  return EVALUATION.constant + EVALUATION.perMultiplyAdd * forwardCost(sizes);
}

/** Forward pass of one image in the reference. */
export function inspectionMicroseconds(sizes: LayerSizes): number {
  return REFERENCE_PER_MULTIPLY_ADD * forwardCost(sizes);
}
