/**
 * Products without lists of non-zeros: of later layers with few units, above convolutions, and of pixels that are not skipped.
 * Six examples, or six rows of the gradient, share the loads of four vectors of a row of W, or of dz. Four share the last two
 * vectors of a panel.
 * Sums run over the same ascending numbers as in rows.ts and columns.ts, zeros included.
 */
import { RECORD_STRIDE } from './addresses.ts';
import { multiplyPanel, sumGradient } from './convolution/products.ts';
import { madd } from './vectors.ts';

/**
 * to_k ← from_k + Σ_i x_k[i] w[i] for k < 4, i < count. Numbers of x are `xStep` bytes apart, and rows of w `wStep`.
 * All stores of one sum precede the next one's: V8 joins pairs of vectors only then.
 */
@inline function sumFour(
  count: i32, x0: usize, x1: usize, x2: usize, x3: usize, xStep: usize, w: usize, wStep: usize,
  from0: usize, from1: usize, from2: usize, from3: usize, to0: usize, to1: usize, to2: usize, to3: usize,
): void {
  let a0 = v128.load(from0), a1 = v128.load(from0, 16);
  let b0 = v128.load(from1), b1 = v128.load(from1, 16);
  let c0 = v128.load(from2), c1 = v128.load(from2, 16);
  let d0 = v128.load(from3), d1 = v128.load(from3, 16);
  for (let i = 0, shift: usize = 0; i < count; i++, shift += xStep, w += wStep) {
    const x = v128.load_splat<u32>(x0 + shift), y = v128.load_splat<u32>(x1 + shift);
    const z = v128.load_splat<u32>(x2 + shift), t = v128.load_splat<u32>(x3 + shift);
    const e = v128.load(w), f = v128.load(w, 16);
    a0 = madd(x, e, a0); a1 = madd(x, f, a1); b0 = madd(y, e, b0); b1 = madd(y, f, b1);
    c0 = madd(z, e, c0); c1 = madd(z, f, c1); d0 = madd(t, e, d0); d1 = madd(t, f, d1);
  }
  v128.store(to0, a0); v128.store(to0, a1, 16);
  v128.store(to1, b0); v128.store(to1, b1, 16);
  v128.store(to2, c0); v128.store(to2, c1, 16);
  v128.store(to3, d0); v128.store(to3, d1, 16);
}

/** Examples n … n + 3 at a time; those beyond the last one repeat it. */
function multiplyRows(
  count: i32, input: usize, step: usize, run: i32, w: usize, wStep: usize, seeds: usize, seedStep: usize, out: usize,
  outStep: usize,
): void {
  for (let n = 0; n < count; n += 4) {
    const n0 = <usize>n, n1 = <usize>min(n + 1, count - 1), n2 = <usize>min(n + 2, count - 1), n3 = <usize>min(n + 3, count - 1);
    sumFour(
      run, input + n0 * step, input + n1 * step, input + n2 * step, input + n3 * step, 4, w, wStep,
      seeds + n0 * seedStep, seeds + n1 * seedStep, seeds + n2 * seedStep, seeds + n3 * seedStep,
      out + n0 * outStep, out + n1 * outStep, out + n2 * outStep, out + n3 * outStep,
    );
  }
}

/** Rows j … j + 3 at a time; those beyond the last one repeat it. */
function sumColumns(
  rows: i32, input: usize, step: usize, dz: usize, dzStep: usize, count: i32, target: usize, width: usize,
): void {
  for (let j = 0; j < rows; j += 4) {
    const j0: usize = j, j1: usize = min(j + 1, rows - 1);
    const j2: usize = min(j + 2, rows - 1), j3: usize = min(j + 3, rows - 1);
    const t0 = target + j0 * width, t1 = target + j1 * width, t2 = target + j2 * width, t3 = target + j3 * width;
    sumFour(
      count, input + (j0 << 2), input + (j1 << 2), input + (j2 << 2), input + (j3 << 2), step, dz, dzStep, t0, t1, t2, t3,
      t0, t1, t2, t3,
    );
  }
}

/**
 * out[n] ← seeds + Σ_j input[n, j] W[j] of `count` examples, `inputs` inputs and `vectors` vectors of a panel whose rows have
 * `width` bytes. With seeds of 0, sums continue from those in `out`.
 */
export function multiplyDense(
  vectors: i32, count: i32, inputs: i32, input: usize, step: usize, panel: usize, width: usize, seeds: usize, out: usize,
): void {
  const stride: usize = load<u32>(RECORD_STRIDE);
  const seedStep = seeds ? 0 : stride;
  if (!seeds) seeds = out;
  for (; vectors >= 4; vectors -= 4, panel += 64, seeds += 64, out += 64) {
    multiplyPanel(input, step, 0, 1, inputs, panel, width, seeds, seedStep, out, stride, 0, 1, count, 0);
  }
  if (vectors) multiplyRows(count, input, step, inputs, panel, width, seeds, seedStep, out, stride);
}

/** target[j] += Σ_n input[n, j] dz[n] of `rows` inputs and `count` examples. */
export function sumDense(
  vectors: i32, count: i32, rows: i32, input: usize, step: usize, dz: usize, target: usize, width: usize,
): void {
  const stride: usize = load<u32>(RECORD_STRIDE);
  for (; vectors >= 4; vectors -= 4, dz += 64, target += 64) {
    sumGradient(rows, input, step, 0, dz, stride, 0, 1, count, target, width);
  }
  if (vectors) sumColumns(rows, input, step, dz, stride, count, target, width);
}
