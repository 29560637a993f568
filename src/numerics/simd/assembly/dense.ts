/**
 * Products without lists of non-zeros: of later layers with few units, and above convolutions.
 * A layer of few units has so few sums that multiply-adds would wait for each other. Here four examples, or four rows of the
 * gradient, share the loads of a row of W, or of dz; above convolutions, six of a panel of 16 units do.
 * Sums run over the same ascending numbers as in rows.ts and columns.ts, zeros included.
 */
import { BATCH_SIZE, RECORDS, RECORD_STRIDE } from './addresses.ts';
import { multiplyPanel, sumGradient } from './convolution/products.ts';
import { hasConvolutions } from './layer.ts';
import { madd, P1, P2, pairs } from './vectors.ts';

/**
 * to_k ← from_k + Σ_i x_k[i] w[i] for k < 4, i < count. Numbers of x are `xStep` bytes apart, and rows of w `wStep`.
 * All stores of one sum precede the next one's: V8 joins pairs of vectors only then.
 */
@inline function sumFour<T>(
  count: i32, x0: usize, x1: usize, x2: usize, x3: usize, xStep: usize, w: usize, wStep: usize,
  from0: usize, from1: usize, from2: usize, from3: usize, to0: usize, to1: usize, to2: usize, to3: usize,
): void {
  let a0 = v128.load(from0), a1 = v128.load(from0, 16), a2 = a0, a3 = a0;
  if (pairs<T>() > 1) { a2 = v128.load(from0, 32); a3 = v128.load(from0, 48); }
  let b0 = v128.load(from1), b1 = v128.load(from1, 16), b2 = b0, b3 = b0;
  if (pairs<T>() > 1) { b2 = v128.load(from1, 32); b3 = v128.load(from1, 48); }
  let c0 = v128.load(from2), c1 = v128.load(from2, 16), c2 = c0, c3 = c0;
  if (pairs<T>() > 1) { c2 = v128.load(from2, 32); c3 = v128.load(from2, 48); }
  let d0 = v128.load(from3), d1 = v128.load(from3, 16), d2 = d0, d3 = d0;
  if (pairs<T>() > 1) { d2 = v128.load(from3, 32); d3 = v128.load(from3, 48); }
  for (let i = 0, shift: usize = 0; i < count; i++, shift += xStep, w += wStep) {
    const x = v128.load_splat<u32>(x0 + shift), y = v128.load_splat<u32>(x1 + shift);
    const z = v128.load_splat<u32>(x2 + shift), t = v128.load_splat<u32>(x3 + shift);
    let e = v128.load(w), f = v128.load(w, 16);
    a0 = madd(x, e, a0); a1 = madd(x, f, a1); b0 = madd(y, e, b0); b1 = madd(y, f, b1);
    c0 = madd(z, e, c0); c1 = madd(z, f, c1); d0 = madd(t, e, d0); d1 = madd(t, f, d1);
    if (pairs<T>() > 1) {
      e = v128.load(w, 32); f = v128.load(w, 48);
      a2 = madd(x, e, a2); a3 = madd(x, f, a3); b2 = madd(y, e, b2); b3 = madd(y, f, b3);
      c2 = madd(z, e, c2); c3 = madd(z, f, c3); d2 = madd(t, e, d2); d3 = madd(t, f, d3);
    }
  }
  v128.store(to0, a0); v128.store(to0, a1, 16);
  if (pairs<T>() > 1) { v128.store(to0, a2, 32); v128.store(to0, a3, 48); }
  v128.store(to1, b0); v128.store(to1, b1, 16);
  if (pairs<T>() > 1) { v128.store(to1, b2, 32); v128.store(to1, b3, 48); }
  v128.store(to2, c0); v128.store(to2, c1, 16);
  if (pairs<T>() > 1) { v128.store(to2, c2, 32); v128.store(to2, c3, 48); }
  v128.store(to3, d0); v128.store(to3, d1, 16);
  if (pairs<T>() > 1) { v128.store(to3, d2, 32); v128.store(to3, d3, 48); }
}

/** Examples n … n + 3 at a time; those beyond the last one repeat it. */
function multiplyRows<T>(
  first: i32, last: i32, inputs: i32, input: usize, output: usize, panel: usize, width: usize, seeds: usize,
): void {
  const records: usize = load<u32>(RECORDS);
  const stride: usize = load<u32>(RECORD_STRIDE);
  for (let n = first; n < last; n += 4) {
    const r0 = records + <usize>n * stride, r1 = records + <usize>min(n + 1, last - 1) * stride;
    const r2 = records + <usize>min(n + 2, last - 1) * stride, r3 = records + <usize>min(n + 3, last - 1) * stride;
    sumFour<T>(
      inputs, r0 + input, r1 + input, r2 + input, r3 + input, 4, panel, width, seeds, seeds, seeds, seeds,
      r0 + output, r1 + output, r2 + output, r3 + output,
    );
  }
}

/** Rows j … j + 3 at a time; those beyond the last one repeat it. */
function sumColumns<T>(target: usize, width: usize, rows: i32, input: usize, gradient: usize): void {
  const records: usize = load<u32>(RECORDS);
  const stride: usize = load<u32>(RECORD_STRIDE);
  const batch = load<i32>(BATCH_SIZE);
  input += records;
  for (let j = 0; j < rows; j += 4) {
    const j0: usize = j, j1: usize = min(j + 1, rows - 1);
    const j2: usize = min(j + 2, rows - 1), j3: usize = min(j + 3, rows - 1);
    const t0 = target + j0 * width, t1 = target + j1 * width, t2 = target + j2 * width, t3 = target + j3 * width;
    sumFour<T>(
      batch, input + (j0 << 2), input + (j1 << 2), input + (j2 << 2), input + (j3 << 2), stride, records + gradient,
      stride, t0, t1, t2, t3, t0, t1, t2, t3,
    );
  }
}

/** z[n] = seeds + Σ_j a[n, j] W[j] of examples first … last − 1. `vectors` is at most DENSE_VECTORS. */
export function multiplyDense(
  vectors: i32, first: i32, last: i32, inputs: i32, input: usize, output: usize, panel: usize, width: usize, seeds: usize,
): void {
  if (vectors == 2) multiplyRows<P1>(first, last, inputs, input, output, panel, width, seeds);
  else if (hasConvolutions()) {
    const stride: usize = load<u32>(RECORD_STRIDE);
    const record = <usize>load<u32>(RECORDS) + <usize>first * stride;
    multiplyPanel(record + input, stride, 0, 1, inputs, panel, seeds, record + output, stride, 0, 1, last - first, 0);
  }
  else multiplyRows<P2>(first, last, inputs, input, output, panel, width, seeds);
}

/** target[j] += Σ_n a[n, j] dz[n] of `rows` inputs. `vectors` is at most DENSE_VECTORS. */
export function sumDense(vectors: i32, target: usize, width: usize, rows: i32, input: usize, gradient: usize): void {
  if (vectors == 2) sumColumns<P1>(target, width, rows, input, gradient);
  else if (hasConvolutions()) {
    const records: usize = load<u32>(RECORDS);
    const stride: usize = load<u32>(RECORD_STRIDE);
    sumGradient(rows, records + input, stride, 0, records + gradient, stride, 0, 1, load<i32>(BATCH_SIZE), target);
  }
  else sumColumns<P2>(target, width, rows, input, gradient);
}
