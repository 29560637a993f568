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

/** The part of a group that each of its values is. */
@inline function partOf(height: i32, width: i32): v128 { return f32x4.splat(<f32>1 / <f32>(height * width * 4)); }

/** 1/σ of the sum of the squares of z − μ. */
@inline function inverseOf(squares: v128, part: v128): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.sqrt(madd(total(squares), part, f32x4.splat(EPSILON))));
}

/** y ← the normalized z of all groups; `statistics` ← μ of two groups, then their 1/σ. V8 joins the vectors of the two. */
export function normalize(
  z: usize, y: usize, step: usize, rowStep: usize, height: i32, width: i32, gamma: usize, beta: usize, statistics: usize,
): void {
  const part = partOf(height, width);
  const rowEnd = <usize>width * step;
  const toY = y - z;
  for (let v: usize = 0; v < step; v += 32, statistics += 64) {
    let a = f32x4.splat(0), b = a;
    for (let r = 0, row = z + v; r < height; r++, row += rowStep) {
      let c = f32x4.splat(0), d = c;
      for (let at = row, end = row + rowEnd; at < end; at += step) {
        c = f32x4.add(c, v128.load(at));
        d = f32x4.add(d, v128.load(at, 16));
      }
      a = f32x4.add(a, c);
      b = f32x4.add(b, d);
    }
    const m = f32x4.mul(total(a), part), n = f32x4.mul(total(b), part);
    a = f32x4.splat(0);
    b = a;
    for (let r = 0, row = z + v; r < height; r++, row += rowStep) {
      let c = f32x4.splat(0), d = c;
      for (let at = row, end = row + rowEnd; at < end; at += step) {
        const e = f32x4.sub(v128.load(at), m), f = f32x4.sub(v128.load(at, 16), n);
        c = madd(e, e, c);
        d = madd(f, f, d);
      }
      a = f32x4.add(a, c);
      b = f32x4.add(b, d);
    }
    const i = inverseOf(a, part), j = inverseOf(b, part);
    v128.store(statistics, m);
    v128.store(statistics, n, 16);
    v128.store(statistics, i, 32);
    v128.store(statistics, j, 48);
    const s = f32x4.mul(v128.load(gamma + v), i), t = f32x4.mul(v128.load(gamma + v, 16), j);
    const e = v128.load(beta + v), f = v128.load(beta + v, 16);
    for (let r = 0, row = z + v; r < height; r++, row += rowStep) {
      for (let at = row, end = row + rowEnd; at < end; at += step) {
        const c = madd(f32x4.sub(v128.load(at), m), s, e), d = madd(f32x4.sub(v128.load(at, 16), n), t, f);
        v128.store(at + toY, c);
        v128.store(at + toY, d, 16);
      }
    }
  }
}

/**
 * dy, in place → dz = γ/σ dy − 1/σ (mean of γ dy) − (z − μ)/σ³ (mean of γ dy (z − μ)), and adds Σ dy (z − μ)/σ to the gradient
 * of γ and Σ dy to that of β. The means are those of the group. Two groups at a time, as above.
 */
export function normalizeBackward(
  z: usize, dy: usize, step: usize, rowStep: usize, height: i32, width: i32, gamma: usize, statistics: usize,
  gammaGradient: usize, betaGradient: usize,
): void {
  const part = partOf(height, width);
  const rowEnd = <usize>width * step;
  const toDy = dy - z;
  for (let v: usize = 0; v < step; v += 32, statistics += 64) {
    const m = v128.load(statistics), n = v128.load(statistics, 16);
    const i = v128.load(statistics, 32), j = v128.load(statistics, 48);
    let a = f32x4.splat(0), b = a, p = a, q = a;
    for (let r = 0, row = z + v; r < height; r++, row += rowStep) {
      let c = f32x4.splat(0), d = c, e = c, f = c;
      for (let at = row, end = row + rowEnd; at < end; at += step) {
        const g = v128.load(at + toDy), h = v128.load(at + toDy, 16);
        c = f32x4.add(c, g);
        d = f32x4.add(d, h);
        e = madd(g, f32x4.sub(v128.load(at), m), e);
        f = madd(h, f32x4.sub(v128.load(at, 16), n), f);
      }
      a = f32x4.add(a, c);
      b = f32x4.add(b, d);
      p = f32x4.add(p, e);
      q = f32x4.add(q, f);
    }
    const s = f32x4.mul(v128.load(gamma + v), i), t = f32x4.mul(v128.load(gamma + v, 16), j);
    v128.store(betaGradient + v, f32x4.add(v128.load(betaGradient + v), a));
    v128.store(betaGradient + v, f32x4.add(v128.load(betaGradient + v, 16), b), 16);
    v128.store(gammaGradient + v, madd(p, i, v128.load(gammaGradient + v)));
    v128.store(gammaGradient + v, madd(q, j, v128.load(gammaGradient + v, 16)), 16);
    const shiftA = f32x4.mul(total(f32x4.mul(s, a)), part), shiftB = f32x4.mul(total(f32x4.mul(t, b)), part);
    const slopeA = f32x4.mul(f32x4.mul(total(f32x4.mul(s, p)), part), f32x4.mul(i, i));
    const slopeB = f32x4.mul(f32x4.mul(total(f32x4.mul(t, q)), part), f32x4.mul(j, j));
    for (let r = 0, row = z + v; r < height; r++, row += rowStep) {
      for (let at = row, end = row + rowEnd; at < end; at += step) {
        const c = f32x4.sub(f32x4.mul(v128.load(at + toDy), s), shiftA);
        const d = f32x4.sub(f32x4.mul(v128.load(at + toDy, 16), t), shiftB);
        const e = f32x4.sub(v128.load(at), m), f = f32x4.sub(v128.load(at, 16), n);
        v128.store(at + toDy, f32x4.sub(c, f32x4.mul(e, slopeA)));
        v128.store(at + toDy, f32x4.sub(d, f32x4.mul(f, slopeB)), 16);
      }
    }
  }
}
