/** The parameters a training starts from. */
import { type LayerSizes, parameterCount, unpack } from './network.ts';
import { PURPOSE, randomUniform } from './random.ts';

/** Slightly positive, so that a ReLU unit whose inputs are all zero still starts on its live side. */
const INITIAL_BIAS = 0.01;

/** W_l uniform in [−1/√d_{l−1}, 1/√d_{l−1}), b_l = 0.01; packed. Number i of the vector uses random index i. */
export function initializeUniformFanIn(sizes: LayerSizes, seed: number): Float64Array {
  const packed = new Float64Array(parameterCount(sizes));
  let index = 0;
  for (const { inputs, weights, biases } of unpack(packed, sizes)) {
    const bound = 1 / Math.sqrt(inputs);
    for (let i = 0; i < weights.length; i++) {
      weights[i] = (2 * randomUniform(seed, PURPOSE.initialize, 0, index + i) - 1) * bound;
    }
    biases.fill(INITIAL_BIAS);
    index += weights.length + biases.length;
  }
  return packed;
}
