/** Initialization of the parameters. */

import { PURPOSE, randomUniform } from '../random.ts';
import { type Architecture, parameterCount } from './architecture.ts';
import { type Layer, unpack } from './layers.ts';

export const INITIALIZATIONS = ['uniform-fan-in', 'he', 'glorot'] as const;
export type Initialization = (typeof INITIALIZATIONS)[number];

/** Random number `index` of a distribution for initial weights. */
type Draw = (seed: number, index: number) => number;

/** Slightly positive, so that a ReLU unit whose inputs are all zero starts with a non-zero derivative. */
const INITIAL_BIAS = 0.01;

/** The packed initial parameters. Entry i uses random index i, or both indices of its pair if it is normal. */
export function initialize(how: Initialization, architecture: Architecture, seed: number): Float64Array {
  switch (how) {
    case 'uniform-fan-in':
      return initializeUniformFanIn(architecture, seed);
    case 'he':
      return initializeHe(architecture, seed);
    case 'glorot':
      return initializeGlorot(architecture, seed);
  }
}

/** W_l uniform in [−1/√d_{l−1}, 1/√d_{l−1}), b_l = 0.01 */
export function initializeUniformFanIn(architecture: Architecture, seed: number): Float64Array {
  return fill(architecture, seed, INITIAL_BIAS, uniform, ({ inputs }) => 1 / Math.sqrt(inputs));
}

/** W_l normal with standard deviation √(2 / d_{l−1}), b_l = 0 (He et al., ICCV 2015) */
function initializeHe(architecture: Architecture, seed: number): Float64Array {
  return fill(architecture, seed, 0, normal, ({ inputs }) => Math.sqrt(2 / inputs));
}

/** W_l uniform in ±√(6 / (d_{l−1} + d_l)), b_l = 0 (Glorot and Bengio, AISTATS 2010) */
function initializeGlorot(architecture: Architecture, seed: number): Float64Array {
  return fill(architecture, seed, 0, uniform, ({ inputs, outputs }) => Math.sqrt(6 / (inputs + outputs)));
}

function fill(
  architecture: Architecture,
  seed: number,
  bias: number,
  draw: Draw,
  layerScale: (layer: Layer) => number,
): Float64Array {
  const packed = new Float64Array(parameterCount(architecture));
  let index = 0;
  for (const layer of unpack(packed, architecture)) {
    const scale = layerScale(layer);
    for (let i = 0; i < layer.weights.length; i++) layer.weights[i] = draw(seed, index + i) * scale;
    layer.biases.fill(bias);
    index += layer.weights.length + layer.biases.length;
  }
  return packed;
}

/** Uniform in [−1, 1) */
function uniform(seed: number, index: number): number {
  return 2 * randomUniform(seed, PURPOSE.initialize, 0, index) - 1;
}

/**
 * Standard normal numbers 2k and 2k + 1 from uniform ones u, v of the same indices: √(−2 ln (1 − u)) times
 * cos 2πv and sin 2πv (Box and Muller, 1958).
 */
function normal(seed: number, index: number): number {
  const even = index - (index % 2);
  const radius = Math.sqrt(-2 * Math.log(1 - randomUniform(seed, PURPOSE.initialize, 0, even)));
  const angle = 2 * Math.PI * randomUniform(seed, PURPOSE.initialize, 0, even + 1);
  return radius * (index % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
}
