/**
 * Softmax, cross-entropy and its gradient for one example's logits z of K classes:
 * loss = log Σ_k e^(z_k − max) + (max − z_y), not −log(softmax): that is −log 0 for a confident mistake;
 * dz = c_y · scale · (p − q), q = (1 − ε) onehot(y) + ε / K, with class weight c_y and label smoothing ε.
 * With distillation, q is (1 − w) of that plus w of the teachers' probabilities; the loss still uses the labels alone.
 * With mixup, loss and dz are λ of their values for y plus 1 − λ of their values for y′, the label of the partner.
 * `scale` is 1 / N for a batch of N examples, or −η / N with learning rate η if the update follows directly.
 */
import {
  CLASS_WEIGHTS, CORRECT, DZ_SCALE, INDICES, LABELS, LOSSES, PARTNERS, PARTNER_FRACTION, SMOOTHING, TARGETS, TEACHER_WEIGHT,
} from './addresses.ts';
import { exp, log } from './elementary.ts';
import { vectorCount } from './layer.ts';

/** All ones in the lanes that belong to classes, of the vector that begins with class v. */
@inline function classLanes(v: i32, classes: i32): v128 {
  return i32x4.lt_s(i32x4.add(i32x4.splat(v), i32x4(0, 1, 2, 3)), i32x4.splat(classes));
}

function largest(z: usize, classes: i32): f32 {
  let max = f32x4.splat(-Infinity);
  for (let v = 0; v < classes; v += 4) {
    const each = v128.bitselect(v128.load(z + (<usize>v << 2)), f32x4.splat(-Infinity), classLanes(v, classes));
    max = f32x4.max(max, each);
  }
  max = f32x4.max(max, v128.shuffle<u32>(max, max, 2, 3, 0, 1));
  max = f32x4.max(max, v128.shuffle<u32>(max, max, 1, 0, 3, 2));
  return f32x4.extract_lane(max, 0);
}

/** p_k ← e^(z_k − max), zero beyond the classes; returns their sum in all lanes. `p` may be `z`. */
function exponentials(p: usize, z: usize, classes: i32, max: f32): v128 {
  const shift = f32x4.splat(max);
  let sum = f32x4.splat(0);
  for (let v = 0; v < classes; v += 4) {
    const at = <usize>v << 2;
    const e = v128.and(exp(f32x4.sub(v128.load(z + at), shift)), classLanes(v, classes));
    v128.store(p + at, e);
    sum = f32x4.add(sum, e);
  }
  sum = f32x4.add(sum, v128.shuffle<u32>(sum, sum, 2, 3, 0, 1));
  return f32x4.add(sum, v128.shuffle<u32>(sum, sum, 1, 0, 3, 2));
}

/** Probabilities of the logits; `p` may be `z`. */
export function softmax(p: usize, z: usize, classes: i32): void {
  const sum = exponentials(p, z, classes, largest(z, classes));
  const inverse = f32x4.div(f32x4.splat(1), sum);
  for (let v = 0; v < classes; v += 4) {
    const at = p + (<usize>v << 2);
    v128.store(at, f32x4.mul(v128.load(at), inverse));
  }
}

/** Whether the label's logit is the largest, `max`, and no earlier class has the same logit. */
function isFirstLargest(label: i32, z: usize, classes: i32, max: f32): bool {
  let earlier = i32x4.splat(0);
  for (let v = 0; v < classes; v += 4) {
    const equal = f32x4.eq(v128.load(z + (<usize>v << 2)), f32x4.splat(max));
    earlier = v128.or(earlier, v128.and(equal, classLanes(v, label)));
  }
  return load<f32>(z + (<usize>label << 2)) == max && !v128.any_true(earlier);
}

/** `fraction` · c_y · scale */
@inline function gradientScale(label: i32, fraction: f32): f32 {
  const weights: usize = load<u32>(CLASS_WEIGHTS);
  return load<f32>(DZ_SCALE) * (weights ? load<f32>(weights + (<usize>label << 2)) : <f32>1) * fraction;
}

@inline function subtractAt(dz: usize, label: i32, x: f32): void {
  const target = dz + (<usize>label << 2);
  store<f32>(target, load<f32>(target) - x);
}

/** dz ← dz − `scale` · w · t, with the teachers' probabilities t of example n of the batch. */
function subtractTeachers(dz: usize, n: i32, scale: f32, classes: i32): void {
  const index: usize = load<u32>(INDICES + (<usize>n << 2));
  const row: usize = <usize>load<u32>(TARGETS) + index * (<usize>vectorCount(classes) << 4);
  const factor = f32x4.splat(scale * load<f32>(TEACHER_WEIGHT));
  for (let v = 0; v < classes; v += 4) {
    const at = <usize>v << 2;
    v128.store(dz + at, f32x4.sub(v128.load(dz + at), f32x4.mul(v128.load(row + at), factor)));
  }
}

/** Writes the loss of example n, whether its prediction is correct, and the gradient dz. */
export function crossEntropy(n: i32, z: usize, dz: usize, classes: i32): void {
  const labels: usize = load<u32>(LABELS);
  const label: i32 = load<u16>(labels + (<usize>n << 1));
  // 0 without mixup.
  const rest = load<f32>(PARTNER_FRACTION);
  const other: i32 = rest > 0 ? load<u16>(labels + (load<u32>(PARTNERS + (<usize>n << 2)) << 1)) : label;
  const max = largest(z, classes);
  const isCorrect = isFirstLargest(rest > 0.5 ? other : label, z, classes, max);
  store<u8>(<usize>load<u32>(CORRECT) + n, <u8>isCorrect);
  const sum = exponentials(dz, z, classes, max);
  const logSum = f32x4.extract_lane(log(sum), 0);
  let loss = logSum + (max - load<f32>(z + (<usize>label << 2)));
  let scale = gradientScale(label, 1 - rest);
  const smoothing = load<f32>(SMOOTHING);
  const labelFraction = <f32>1 - load<f32>(TEACHER_WEIGHT);
  const ownScale = scale;
  let otherScale: f32 = 0;
  if (rest > 0) {
    loss = (1 - rest) * loss + rest * (logSum + (max - load<f32>(z + (<usize>other << 2))));
    otherScale = gradientScale(other, rest);
    scale += otherScale;
  }
  store<f32>(<usize>load<u32>(LOSSES) + (<usize>n << 2), loss);

  const factor = f32x4.div(f32x4.splat(scale), sum);
  const uniform = f32x4.splat((scale * labelFraction * smoothing) / <f32>classes);
  for (let v = 0; v < classes; v += 4) {
    const at = dz + (<usize>v << 2);
    const each = f32x4.sub(f32x4.mul(v128.load(at), factor), uniform);
    v128.store(at, v128.and(each, classLanes(v, classes)));
  }
  const height = labelFraction * (<f32>1 - smoothing);
  subtractAt(dz, label, ownScale * height);
  if (rest > 0) subtractAt(dz, other, otherScale * height);
  if (!load<u32>(TARGETS)) return;
  subtractTeachers(dz, n, ownScale, classes);
  if (rest > 0) subtractTeachers(dz, load<i32>(PARTNERS + (<usize>n << 2)), otherScale, classes);
}
