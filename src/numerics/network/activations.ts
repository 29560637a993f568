/** Activation functions: value and derivative next to each other, and the kernel's code. */
import { IDENTITY, LEAKY_RELU, RELU, SIGMOID, SILU, TANH } from '../simd/constants.ts';

export interface ActivationFunction {
  /** Value of ACTIVATION in the kernel's header. */
  readonly code: number;
  /** act(z) */
  value(z: number): number;
  /** act'(z), given a = act(z). */
  derivative(z: number, a: number): number;
  /** Whether the function has no derivative at 0; `derivative` then returns the left derivative. */
  readonly hasKink: boolean;
  /** Whether value and derivative are 0 for all z ≤ 0, so that a unit can be dead. */
  readonly canDie: boolean;
  /** Largest |act(z)| of all |z| ≤ bound. */
  largest(bound: number): number;
}

/** Slope of leaky-relu below 0. */
export const LEAK = 0.01;

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
/** |act(z)| ≤ |z| */
const unbounded = (bound: number) => bound;

// The conditions are `z <= 0`, not `z > 0`: NaN must stay NaN, or a diverged network would look healthy.
export const ACTIVATION_FUNCTIONS = {
  /** max(z, 0);  1 where z > 0, else 0 */
  relu: {
    code: RELU,
    value: (z) => Math.max(z, 0),
    derivative: (z) => (z <= 0 ? 0 : 1),
    hasKink: true,
    canDie: true,
    largest: unbounded,
  },
  /** z where z > 0, else 0.01 z;  1, else 0.01 */
  'leaky-relu': {
    code: LEAKY_RELU,
    value: (z) => (z <= 0 ? LEAK * z : z),
    derivative: (z) => (z <= 0 ? LEAK : 1),
    hasKink: true,
    canDie: false,
    largest: unbounded,
  },
  /** tanh z;  1 − a² */
  tanh: {
    code: TANH,
    value: (z) => Math.tanh(z),
    derivative: (_, a) => 1 - a * a,
    hasKink: false,
    canDie: false,
    largest: (bound) => Math.min(1, bound),
  },
  /** 1 / (1 + e⁻ᶻ);  a (1 − a) */
  sigmoid: {
    code: SIGMOID,
    value: sigmoid,
    derivative: (_, a) => a * (1 - a),
    hasKink: false,
    canDie: false,
    largest: () => 1,
  },
  /** z;  1 */
  identity: {
    code: IDENTITY,
    value: (z) => z,
    derivative: () => 1,
    hasKink: false,
    canDie: false,
    largest: unbounded,
  },
  /** z σ(z) with σ(z) = 1 / (1 + e⁻ᶻ);  σ(z) + a (1 − σ(z)). Source: https://arxiv.org/abs/1702.03118 */
  silu: {
    code: SILU,
    value: (z) => z / (1 + Math.exp(-z)),
    derivative: (z, a) => {
      const s = sigmoid(z);
      return s + a * (1 - s);
    },
    hasKink: false,
    canDie: false,
    largest: unbounded,
  },
} as const satisfies Readonly<Record<string, ActivationFunction>>;

/** Names of the activation functions of hidden layers. */
export type Activation = keyof typeof ACTIVATION_FUNCTIONS;
export const ACTIVATIONS = Object.keys(ACTIVATION_FUNCTIONS) as [Activation, ...Activation[]];
