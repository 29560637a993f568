/**
 * Activations of one example's hidden layer: a = act(z) and act'(z), with dropout.
 *
 * relu: max(z, 0), derivative 1 if z > 0, else 0; leaky-relu: z or 0.01 z, derivative 0.01 at 0; tanh: derivative
 * 1 − a²; sigmoid: σ(z) = 1 / (1 + e⁻ᶻ), derivative a (1 − a); identity; silu: z σ(z), derivative
 * σ(z) + a (1 − σ(z)).
 * Inverted dropout p: kept units and their derivatives times 1 / (1 − p), the others 0; dropout.ts defines the masks.
 */
import { IDENTITY, LEAKY_RELU, RELU, SIGMOID, SILU, TANH } from '../constants.ts';
import {
  ACTIVATION, BACKWARD_SUMS, DROPOUT_SCALE, DROPOUT_THRESHOLD, EPOCH, FIRST_DENSE, OUTPUTS, OUTPUT_GRADIENT, OUTPUT_VALUES,
  SEED,
} from './addresses.ts';
import { sigmoid, tanh } from './elementary.ts';
import { layerAt, vectorCount } from './layer.ts';
import { threefry } from './threefry.ts';

/** PURPOSE.dropout of random.ts */
const DROPOUT_PURPOSE = 4;

/** max(z, 0); NaN stays NaN. */
@inline export function rectify(z: v128): v128 { return v128.andnot(z, f32x4.le(z, f32x4.splat(0))); }

/** Replaces z at `at` by a, and writes act' to `derivative`. Compares z ≤ 0, not z > 0, so that NaN stays NaN. */
@inline export function activateVector(kind: i32, at: usize, derivative: usize): void {
  const z = v128.load(at);
  const one = f32x4.splat(1);
  if (kind == RELU) {
    const off = f32x4.le(z, f32x4.splat(0));
    v128.store(at, v128.andnot(z, off));
    v128.store(derivative, v128.andnot(one, off));
  } else if (kind == LEAKY_RELU) {
    const d = v128.bitselect(f32x4.splat(0.01), one, f32x4.le(z, f32x4.splat(0)));
    v128.store(at, f32x4.mul(z, d));
    v128.store(derivative, d);
  } else if (kind == TANH) {
    const a = tanh(z);
    v128.store(at, a);
    v128.store(derivative, f32x4.sub(one, f32x4.mul(a, a)));
  } else if (kind == IDENTITY) {
    v128.store(derivative, one);
  } else if (kind == SILU) {
    const s = sigmoid(z);
    const a = f32x4.mul(z, s);
    v128.store(at, a);
    v128.store(derivative, f32x4.add(s, f32x4.mul(a, f32x4.sub(one, s))));
  } else if (kind == SIGMOID) {
    const a = sigmoid(z);
    v128.store(at, a);
    v128.store(derivative, f32x4.mul(a, f32x4.sub(one, a)));
  } else {
    unreachable();
  }
}

@inline function scaleKept(at: usize, words: v128, threshold: v128, scale: v128): void {
  const factor = v128.and(scale, i32x4.ge_u(words, threshold));
  v128.store(at, f32x4.mul(v128.load(at), factor));
}

/**
 * Drops units of fully connected layer l = 1, 2 … With key (seed, purpose + 256 · layer), words 0 and 1 of counter
 * (position · ⌈units / 2⌉ + k, epoch) decide units 2k and 2k + 1. Sixteen units are a whole cache line of the record, so
 * the last ones may be padding. `words` is memory for a cache line.
 */
function dropOut(l: i32, position: i32, units: i32, a: usize, d: usize, words: usize): void {
  const key = DROPOUT_PURPOSE | (l << 8);
  const seed = load<i32>(SEED);
  const epoch = load<i32>(EPOCH);
  const threshold = i32x4.splat(load<i32>(DROPOUT_THRESHOLD));
  const scale = f32x4.splat(load<f32>(DROPOUT_SCALE));
  let counter = position * ((units + 1) >> 1);
  for (let unit = 0; unit < units; unit += 16, a += 64, d += 64, counter += 8) {
    threefry(seed, key, counter, epoch, words);
    for (let half: usize = 0; half < 32; half += 16) {
      const first = v128.load(words + half), second = v128.load(words + half, 32);
      const low = v128.shuffle<u32>(first, second, 0, 4, 1, 5);
      const high = v128.shuffle<u32>(first, second, 2, 6, 3, 7);
      const at = half << 1;
      scaleKept(a + at, low, threshold, scale);
      scaleKept(a + at + 16, high, threshold, scale);
      scaleKept(d + at, low, threshold, scale);
      scaleKept(d + at + 16, high, threshold, scale);
    }
  }
}

/** Activates layer l of the example at `record`, at `position` of its epoch; position −1 means no dropout. */
export function activate(l: i32, record: usize, position: i32): void {
  const layer = layerAt(l);
  const units = load<i32>(layer, OUTPUTS);
  const a = record + <usize>load<u32>(layer, OUTPUT_VALUES);
  const d = record + <usize>load<u32>(layer, OUTPUT_GRADIENT);
  const bytes = <usize>vectorCount(units) << 4;
  const kind = load<i32>(ACTIVATION);
  for (let v: usize = 0; v < bytes; v += 16) activateVector(kind, a + v, d + v);
  // The backward pass has not begun to use its sums.
  const words = record + <usize>load<u32>(layer, BACKWARD_SUMS);
  if (position >= 0 && load<i32>(DROPOUT_THRESHOLD) != 0) dropOut(l - load<i32>(FIRST_DENSE) + 1, position, units, a, d, words);
}
