/**
 * Group normalization of one image, and its gradient.
 * y = γ (z − μ) / σ + β with the mean μ of a group of four channels, and σ² = variance + ε. Source: https://arxiv.org/abs/1803.08494
 * A group is a vector. Its sums run over the positions of each row, then over the rows.
 */
import { madd } from '../vectors.ts';

const EPSILON: f32 = 1e-5;

/** The sum of the four lanes, in all lanes. */
@inline function total(x: v128): v128 {
  const pairs = f32x4.add(x, v128.shuffle<u32>(x, x, 2, 3, 0, 1));
  return f32x4.add(pairs, v128.shuffle<u32>(pairs, pairs, 1, 0, 3, 2));
}

/** y ← the normalized z of all groups; `statistics` ← μ and 1/σ of each, a vector each. */
export function normalize(
  z: usize, y: usize, step: usize, rowStep: usize, height: i32, width: i32, gamma: usize, beta: usize, statistics: usize,
): void {
  const part = f32x4.splat(<f32>1 / <f32>(height * width * 4));
  const one = f32x4.splat(1);
  for (let v: usize = 0; v < step; v += 16, statistics += 32) {
    let sum = f32x4.splat(0);
    for (let r = 0, row = z + v; r < height; r++, row += rowStep) {
      let each = f32x4.splat(0);
      for (let at = row, end = row + <usize>width * step; at < end; at += step) each = f32x4.add(each, v128.load(at));
      sum = f32x4.add(sum, each);
    }
    const mean = f32x4.mul(total(sum), part);
    sum = f32x4.splat(0);
    for (let r = 0, row = z + v; r < height; r++, row += rowStep) {
      let each = f32x4.splat(0);
      for (let at = row, end = row + <usize>width * step; at < end; at += step) {
        const d = f32x4.sub(v128.load(at), mean);
        each = madd(d, d, each);
      }
      sum = f32x4.add(sum, each);
    }
    const inverse = f32x4.div(one, f32x4.sqrt(madd(total(sum), part, f32x4.splat(EPSILON))));
    v128.store(statistics, mean);
    v128.store(statistics, inverse, 16);
    const scale = f32x4.mul(v128.load(gamma + v), inverse);
    const shift = v128.load(beta + v);
    const shiftY = y - z;
    for (let r = 0, row = z + v; r < height; r++, row += rowStep) {
      for (let at = row, end = row + <usize>width * step; at < end; at += step) {
        v128.store(at + shiftY, madd(f32x4.sub(v128.load(at), mean), scale, shift));
      }
    }
  }
}

/**
 * dy, in place → dz = γ/σ dy − 1/σ (mean of γ dy) − (z − μ)/σ³ (mean of γ dy (z − μ)), and adds Σ dy (z − μ)/σ to the gradient
 * of γ and Σ dy to that of β. The means are those of the group.
 */
export function normalizeBackward(
  z: usize, dy: usize, step: usize, rowStep: usize, height: i32, width: i32, gamma: usize, statistics: usize,
  gammaGradient: usize, betaGradient: usize,
): void {
  const part = f32x4.splat(<f32>1 / <f32>(height * width * 4));
  const toDy = dy - z;
  for (let v: usize = 0; v < step; v += 16, statistics += 32) {
    const mean = v128.load(statistics), inverse = v128.load(statistics, 16);
    let sum = f32x4.splat(0), products = sum;
    for (let r = 0, row = z + v; r < height; r++, row += rowStep) {
      let each = f32x4.splat(0), product = each;
      for (let at = row, end = row + <usize>width * step; at < end; at += step) {
        const d = v128.load(at + toDy);
        each = f32x4.add(each, d);
        product = madd(d, f32x4.sub(v128.load(at), mean), product);
      }
      sum = f32x4.add(sum, each);
      products = f32x4.add(products, product);
    }
    const scale = f32x4.mul(v128.load(gamma + v), inverse);
    v128.store(betaGradient + v, f32x4.add(v128.load(betaGradient + v), sum));
    v128.store(gammaGradient + v, madd(products, inverse, v128.load(gammaGradient + v)));
    const shift = f32x4.mul(total(f32x4.mul(scale, sum)), part);
    const slope = f32x4.mul(f32x4.mul(total(f32x4.mul(scale, products)), part), f32x4.mul(inverse, inverse));
    for (let r = 0, row = z + v; r < height; r++, row += rowStep) {
      for (let at = row, end = row + <usize>width * step; at < end; at += step) {
        const d = f32x4.sub(f32x4.mul(v128.load(at + toDy), scale), shift);
        v128.store(at + toDy, f32x4.sub(d, f32x4.mul(f32x4.sub(v128.load(at), mean), slope)));
      }
    }
  }
}
