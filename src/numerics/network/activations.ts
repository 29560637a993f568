/** Activation functions: value and derivative next to each other. */
import type { Activation } from './layers.ts';

export interface ActivationFunction {
  /** act(z) */
  value(z: number): number;
  /** act'(z), given a = act(z). */
  derivative(z: number, a: number): number;
  /** Whether the function has no derivative at 0; `derivative` then returns the left derivative. */
  readonly hasKink: boolean;
}

/** Slope of leaky-relu below 0. */
export const LEAK = 0.01;

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

// The conditions are `z <= 0`, not `z > 0`: NaN must stay NaN, or a diverged network would look healthy.
export const ACTIVATION_FUNCTIONS: Readonly<Record<Activation, ActivationFunction>> = {
  /** max(z, 0);  1 where z > 0, else 0 */
  relu: {
    value: (z) => Math.max(z, 0),
    derivative: (z) => (z <= 0 ? 0 : 1),
    hasKink: true,
  },
  /** z where z > 0, else 0.01 z;  1, else 0.01 */
  'leaky-relu': {
    value: (z) => (z <= 0 ? LEAK * z : z),
    derivative: (z) => (z <= 0 ? LEAK : 1),
    hasKink: true,
  },
  /** tanh z;  1 − a² */
  tanh: {
    value: (z) => Math.tanh(z),
    derivative: (_, a) => 1 - a * a,
    hasKink: false,
  },
  /** 1 / (1 + e⁻ᶻ);  a (1 − a) */
  sigmoid: {
    value: sigmoid,
    derivative: (_, a) => a * (1 - a),
    hasKink: false,
  },
  /** z;  1 */
  identity: {
    value: (z) => z,
    derivative: () => 1,
    hasKink: false,
  },
  /** z σ(z) with σ(z) = 1 / (1 + e⁻ᶻ);  σ(z) + a (1 − σ(z)). Source: https://arxiv.org/abs/1702.03118 */
  silu: {
    value: (z) => z / (1 + Math.exp(-z)),
    derivative: (z, a) => {
      const s = sigmoid(z);
      return s + a * (1 - s);
    },
    hasKink: false,
  },
};
