/** Optimizers, as in PyTorch: each is one flat loop over the packed vectors, w −= η d. */
import type { OptimizerSettings } from '../training/engine.ts';
import { addL2 } from './objective.ts';

export interface Optimizer {
  /** Packed like the parameters. sgd: v, rmsprop: s, v, both without v if momentum is 0; adam, adamw: m, v. */
  readonly moments: readonly Float64Array[];
  /** Step t, from 1, at rate η. Overwrites `gradient`. */
  update(parameters: Float64Array, gradient: Float64Array, rate: number, t: number): void;
}

/** `weights` and `dWeights` are views of the vectors given to `update`, of `length` numbers: the blocks that decay. */
export function createOptimizer(
  settings: OptimizerSettings,
  length: number,
  weights: readonly Float64Array[],
  dWeights: readonly Float64Array[],
): Optimizer {
  const { type, weightDecay } = settings;
  const zeros = () => new Float64Array(length);

  /** g += λ w, on weights */
  function addDecay(): void {
    if (weightDecay === 0) return;
    for (const [l, block] of weights.entries()) addL2(dWeights[l]!, block, weightDecay);
  }

  switch (type) {
    case 'sgd': {
      const { momentum, nesterov } = settings;
      const v = momentum === 0 ? null : zeros();
      return {
        moments: v === null ? [] : [v],
        update(w, g, rate) {
          addDecay();
          if (v === null) descend(w, g, rate);
          else descendByMomentum(w, g, v, rate, momentum, nesterov);
        },
      };
    }
    case 'rmsprop': {
      const { momentum, alpha, epsilon } = settings;
      const s = zeros();
      const v = momentum === 0 ? null : zeros();
      return {
        moments: v === null ? [s] : [s, v],
        update(w, g, rate) {
          addDecay();
          divideByRoot(g, s, alpha, epsilon);
          if (v === null) descend(w, g, rate);
          else descendByMomentum(w, g, v, rate, momentum, false);
        },
      };
    }
    case 'adam':
    case 'adamw': {
      const [m, v] = [zeros(), zeros()];
      return {
        moments: [m, v],
        update(w, g, rate, t) {
          if (type === 'adam') addDecay();
          else for (const block of weights) shrink(block, 1 - rate * weightDecay);
          descendByMoments(w, g, m, v, rate, settings, t);
        },
      };
    }
  }
}

/** w −= η g */
function descend(w: Float64Array, g: Float64Array, rate: number): void {
  for (let i = 0; i < w.length; i++) w[i]! -= rate * g[i]!;
}

/** v ← μ v + g;  w −= η v, or with Nesterov w −= η (g + μ v) (Sutskever et al., ICML 2013) */
function descendByMomentum(
  w: Float64Array,
  g: Float64Array,
  v: Float64Array,
  rate: number,
  momentum: number,
  nesterov: boolean,
): void {
  for (let i = 0; i < w.length; i++) {
    v[i] = momentum * v[i]! + g[i]!;
    w[i]! -= rate * (nesterov ? g[i]! + momentum * v[i]! : v[i]!);
  }
}

/** s ← α s + (1 − α) g²;  g ← g / (√s + ε) (Tieleman and Hinton, 2012) */
function divideByRoot(g: Float64Array, s: Float64Array, alpha: number, epsilon: number): void {
  for (let i = 0; i < g.length; i++) {
    s[i] = alpha * s[i]! + (1 - alpha) * g[i]! * g[i]!;
    g[i]! /= Math.sqrt(s[i]!) + epsilon;
  }
}

/** w ← keep · w: adamw's decay, decoupled from the gradient (Loshchilov and Hutter, ICLR 2019) */
function shrink(weights: Float64Array, keep: number): void {
  for (let i = 0; i < weights.length; i++) weights[i]! *= keep;
}

/**
 * m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  w −= η (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
 * (Kingma and Ba, ICLR 2015)
 */
function descendByMoments(
  w: Float64Array,
  g: Float64Array,
  m: Float64Array,
  v: Float64Array,
  rate: number,
  settings: { readonly beta1: number; readonly beta2: number; readonly epsilon: number },
  t: number,
): void {
  const { beta1, beta2, epsilon } = settings;
  const [correction1, correction2] = [1 - beta1 ** t, 1 - beta2 ** t];
  for (let i = 0; i < w.length; i++) {
    m[i] = beta1 * m[i]! + (1 - beta1) * g[i]!;
    v[i] = beta2 * v[i]! + (1 - beta2) * g[i]! * g[i]!;
    w[i]! -= (rate * (m[i]! / correction1)) / (Math.sqrt(v[i]! / correction2) + epsilon);
  }
}
