/** Initialization of the parameters. */

import { PURPOSE, randomUniform } from '../random.ts';
import { type Architecture, plan } from './architecture.ts';

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

/** Weights uniform in [−1/√fan-in, 1/√fan-in), biases 0.01 */
export function initializeUniformFanIn(architecture: Architecture, seed: number): Float64Array {
  return fill(architecture, seed, INITIAL_BIAS, uniform, (fanIn) => 1 / Math.sqrt(fanIn));
}

/** Weights normal with standard deviation √(2 / fan-in), biases 0 (He et al., ICCV 2015) */
function initializeHe(architecture: Architecture, seed: number): Float64Array {
  return fill(architecture, seed, 0, normal, (fanIn) => Math.sqrt(2 / fanIn));
}

/** Weights uniform in ±√(6 / (fan-in + fan-out)), biases 0 (Glorot and Bengio, AISTATS 2010) */
function initializeGlorot(architecture: Architecture, seed: number): Float64Array {
  return fill(architecture, seed, 0, uniform, (fanIn, fanOut) => Math.sqrt(6 / (fanIn + fanOut)));
}

/**
 * The fan-in of weights W (outputs × inputs) is `inputs`, of kernels K (outputs × inputs × 3 × 3) 9 · inputs, and their fan-out
 * is `outputs` or 9 · outputs. Group norms start as the identity: gamma 1, beta 0.
 */
function fill(
  architecture: Architecture,
  seed: number,
  bias: number,
  draw: Draw,
  weightScale: (fanIn: number, fanOut: number) => number,
): Float64Array {
  const { layers, parameterCount } = plan(architecture);
  const packed = new Float64Array(parameterCount);
  for (const { type, blocks } of layers) {
    for (const { shape, start, end } of blocks) {
      const [outputs, inputs, ...kernel] = shape;
      if (inputs === undefined) continue;
      const taps = kernel.reduce((product, size) => product * size, 1);
      const scale = weightScale(inputs * taps, outputs! * taps);
      for (let i = start; i < end; i++) packed[i] = draw(seed, i) * scale;
    }
    if (type === 'groupNorm') packed.fill(1, blocks[0]!.start, blocks[0]!.end);
    else if (type !== 'maxPool') packed.fill(bias, blocks[1]!.start, blocks[1]!.end);
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
