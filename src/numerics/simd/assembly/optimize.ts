/**
 * Optimizer steps on `bytes` of W, g and the moments in one common layout (PyTorch's formulas):
 * sgd: g += λ w; v = μ v + g; d = nesterov ? g + μ v : v (without μ: d = g); w −= η d
 * rmsprop: g += λ w; s = α s + (1 − α) g²; d = g / (√s + ε); with μ: v = μ v + d, d = v; w −= η d
 * adam: g += λ w; m = β₁ m + (1 − β₁) g; v = β₂ v + (1 − β₂) g²; w −= η / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
 * adamw: w −= η λ w first (KEEP_WEIGHTS = 1 − η λ), then adam without λ
 */
import { ADAM, RMSPROP, SGD } from '../constants.ts';
import {
  ALPHA, AVERAGE_DELTA, AVERAGE_RATE, BETA1, BETA2, EPSILON, KEEP_WEIGHTS, L1, L2, LEARNING_RATE, MOMENT1_DELTA,
  MOMENT2_DELTA, MOMENTUM, NESTEROV, ONE_MINUS_ALPHA, ONE_MINUS_BETA1, ONE_MINUS_BETA2, OPTIMIZER, ROOT_CORRECTION,
  STEP_SIZE, WEIGHT_DECAY,
} from './addresses.ts';
import { madd } from './vectors.ts';

/**
 * Moments with values below 2⁻¹⁰⁰ as 0. The moments of a pixel that stays zero decay for ever and would become
 * denormal numbers. Each costs 150 cycles, without any effect on the weights.
 */
@inline function flushed(x: v128): v128 {
  return v128.andnot(x, f32x4.lt(f32x4.abs(x), f32x4.splat(7.888609052210118e-31)));
}

/** g += l1 sign(w) + l2 w, with sign(0) = 0. */
export function penalize(w: usize, g: usize, bytes: usize): void {
  const l1 = f32x4.splat(load<f32>(L1));
  const l2 = f32x4.splat(load<f32>(L2));
  const sign = i32x4.splat(0x80000000);
  for (let end = w + bytes; w < end; w += 16, g += 16) {
    const weight = v128.load(w);
    const absolute = v128.and(v128.or(l1, v128.and(weight, sign)), f32x4.ne(weight, f32x4.splat(0)));
    v128.store(g, madd(l2, weight, f32x4.add(v128.load(g), absolute)));
  }
}

/** w ← keep · w, with +0 for −0: a product that underflows may be −0, and pairs of pixels would turn that into +0. */
export function shrink(w: usize, bytes: usize, keep: f32): void {
  const factor = f32x4.splat(keep);
  const zero = f32x4.splat(0);
  for (let end = w + bytes; w < end; w += 16) v128.store(w, f32x4.add(f32x4.mul(v128.load(w), factor), zero));
}

/** Two vectors at a time: V8 joins them. Rows have even numbers of vectors. */
function descend(w: usize, g: usize, bytes: usize, scale: v128, decay: v128): void {
  const rate = f32x4.splat(-load<f32>(LEARNING_RATE));
  const momentum = load<f32>(MOMENTUM);
  const mu = f32x4.splat(momentum);
  const nesterov = load<i32>(NESTEROV) != 0;
  let v = w + <usize>load<u32>(MOMENT1_DELTA);
  for (let end = w + bytes; w < end; w += 32, g += 32, v += 32) {
    const weight = v128.load(w), next = v128.load(w, 16);
    let d = madd(decay, weight, f32x4.mul(v128.load(g), scale));
    let e = madd(decay, next, f32x4.mul(v128.load(g, 16), scale));
    if (momentum != 0) {
      const velocity = madd(mu, v128.load(v), d);
      const nextVelocity = madd(mu, v128.load(v, 16), e);
      v128.store(v, flushed(velocity));
      v128.store(v, flushed(nextVelocity), 16);
      d = nesterov ? madd(mu, velocity, d) : velocity;
      e = nesterov ? madd(mu, nextVelocity, e) : nextVelocity;
    }
    v128.store(w, madd(rate, d, weight));
    v128.store(w, madd(rate, e, next), 16);
  }
}

function descendByRoot(w: usize, g: usize, bytes: usize, scale: v128, decay: v128): void {
  const rate = f32x4.splat(-load<f32>(LEARNING_RATE));
  const momentum = load<f32>(MOMENTUM);
  const mu = f32x4.splat(momentum);
  const alpha = f32x4.splat(load<f32>(ALPHA));
  const rest = f32x4.splat(load<f32>(ONE_MINUS_ALPHA));
  const epsilon = f32x4.splat(load<f32>(EPSILON));
  let s = w + <usize>load<u32>(MOMENT1_DELTA);
  let v = w + <usize>load<u32>(MOMENT2_DELTA);
  for (let end = w + bytes; w < end; w += 16, g += 16, s += 16, v += 16) {
    const weight = v128.load(w);
    const gradient = madd(decay, weight, f32x4.mul(v128.load(g), scale));
    const square = madd(alpha, v128.load(s), f32x4.mul(rest, f32x4.mul(gradient, gradient)));
    v128.store(s, flushed(square));
    let d = f32x4.div(gradient, f32x4.add(f32x4.sqrt(square), epsilon));
    if (momentum != 0) {
      d = madd(mu, v128.load(v), d);
      v128.store(v, flushed(d));
    }
    v128.store(w, madd(rate, d, weight));
  }
}

function descendByMoments(w: usize, g: usize, bytes: usize, scale: v128, decay: v128, keep: v128): void {
  const step = f32x4.splat(-load<f32>(STEP_SIZE));
  const root = f32x4.splat(load<f32>(ROOT_CORRECTION));
  const beta1 = f32x4.splat(load<f32>(BETA1));
  const rest1 = f32x4.splat(load<f32>(ONE_MINUS_BETA1));
  const beta2 = f32x4.splat(load<f32>(BETA2));
  const rest2 = f32x4.splat(load<f32>(ONE_MINUS_BETA2));
  const epsilon = f32x4.splat(load<f32>(EPSILON));
  let m = w + <usize>load<u32>(MOMENT1_DELTA);
  let v = w + <usize>load<u32>(MOMENT2_DELTA);
  for (let end = w + bytes; w < end; w += 16, g += 16, m += 16, v += 16) {
    const weight = v128.load(w);
    const gradient = madd(decay, weight, f32x4.mul(v128.load(g), scale));
    const first = madd(beta1, v128.load(m), f32x4.mul(rest1, gradient));
    const second = madd(beta2, v128.load(v), f32x4.mul(rest2, f32x4.mul(gradient, gradient)));
    v128.store(m, flushed(first));
    v128.store(v, flushed(second));
    const d = f32x4.div(first, madd(f32x4.sqrt(second), root, epsilon));
    v128.store(w, madd(step, d, f32x4.mul(weight, keep)));
  }
}

/** Takes one step on rows of weights, or of biases (they never decay). `scale` is the factor of gradient clipping. */
export function optimize(w: usize, g: usize, bytes: usize, scale: f32, biases: bool): void {
  const kind = load<i32>(OPTIMIZER);
  const factor = f32x4.splat(scale);
  const decay = f32x4.splat(biases ? 0 : load<f32>(WEIGHT_DECAY));
  if (kind == SGD) descend(w, g, bytes, factor, decay);
  else if (kind == RMSPROP) descendByRoot(w, g, bytes, factor, decay);
  else if (kind == ADAM) descendByMoments(w, g, bytes, factor, decay, f32x4.splat(biases ? 1 : load<f32>(KEEP_WEIGHTS)));
  else unreachable();
}

/** w̄ += (1 − d) (w − w̄) on rows of weights or of biases, once the step has been taken. */
export function average(w: usize, bytes: usize): void {
  const delta: usize = load<u32>(AVERAGE_DELTA);
  if (delta == 0) return;
  const rate = f32x4.splat(load<f32>(AVERAGE_RATE));
  let a = w + delta;
  for (let end = w + bytes; w < end; w += 16, a += 16) {
    const before = v128.load(a);
    v128.store(a, madd(rate, f32x4.sub(v128.load(w), before), before));
  }
}
