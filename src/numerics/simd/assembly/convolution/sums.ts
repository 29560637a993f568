/**
 * The two loops of multiply-adds of networks with convolutions, and of inputs and examples that are processed without lists.
 * A block has 1 to 6 rows of 16 sums, four vectors each; V8 joins them to two of 256 bits. Six rows are 12 joined sums, two joined
 * weights and one broadcast: the 15 registers of V8. V8 joins vectors within a basic block, and moves all loads of a block before
 * its multiply-adds. Each input therefore has a block of its own: four inputs in one block need more registers than there are,
 * and take 40 % longer. Without constant offsets in the stores, vectors are not joined.
 */
import { RELU } from '../../constants.ts';
import { ACTIVATION } from '../addresses.ts';
import { madd, P1, P2, P3, P4, P5, P6, pairs as rows } from '../vectors.ts';

/**
 * to_k ← from_k + Σ_r Σ_i input_rk[i] w[r, i] for the rows k of T: positions of a row of an image, or examples, `step` bytes
 * apart. Rows of w are `wStep` bytes apart. Each sum has `runs` runs of `run` consecutive inputs, `runStep` bytes apart. With
 * `factors`, to_k is multiplied by the act' that is so many bytes after it, or of ReLU by the act' of the activation there.
 */
@inline function sumBlock<T>(
  input: usize, step: usize, runs: i32, runStep: usize, run: i32, w: usize, wStep: usize, from: usize, fromStep: usize, to: usize,
  toStep: usize, factors: usize,
): void {
  let a0 = v128.load(from), a1 = v128.load(from, 16), a2 = v128.load(from, 32), a3 = v128.load(from, 48);
  let b0 = a0, b1 = a1, b2 = a2, b3 = a3;
  let c0 = a0, c1 = a1, c2 = a2, c3 = a3;
  let d0 = a0, d1 = a1, d2 = a2, d3 = a3;
  let e0 = a0, e1 = a1, e2 = a2, e3 = a3;
  let f0 = a0, f1 = a1, f2 = a2, f3 = a3;
  if (rows<T>() > 1) { from += fromStep; b0 = v128.load(from); b1 = v128.load(from, 16); b2 = v128.load(from, 32); b3 = v128.load(from, 48); }
  if (rows<T>() > 2) { from += fromStep; c0 = v128.load(from); c1 = v128.load(from, 16); c2 = v128.load(from, 32); c3 = v128.load(from, 48); }
  if (rows<T>() > 3) { from += fromStep; d0 = v128.load(from); d1 = v128.load(from, 16); d2 = v128.load(from, 32); d3 = v128.load(from, 48); }
  if (rows<T>() > 4) { from += fromStep; e0 = v128.load(from); e1 = v128.load(from, 16); e2 = v128.load(from, 32); e3 = v128.load(from, 48); }
  if (rows<T>() > 5) { from += fromStep; f0 = v128.load(from); f1 = v128.load(from, 16); f2 = v128.load(from, 32); f3 = v128.load(from, 48); }
  for (let r = 0; r < runs; r++, input += runStep) {
    let p0 = input;
    const end = input + (<usize>run << 2);
    let p1 = rows<T>() > 1 ? p0 + step : 0;
    let p2 = rows<T>() > 2 ? p1 + step : 0;
    let p3 = rows<T>() > 3 ? p2 + step : 0;
    let p4 = rows<T>() > 4 ? p3 + step : 0;
    let p5 = rows<T>() > 5 ? p4 + step : 0;
    while (true) {
      {
        const w0 = v128.load(w, 0), w1 = v128.load(w, 16), w2 = v128.load(w, 32), w3 = v128.load(w, 48);
        let x = v128.load_splat<u32>(p0, 0);
        a0 = madd(x, w0, a0); a1 = madd(x, w1, a1); a2 = madd(x, w2, a2); a3 = madd(x, w3, a3);
        if (rows<T>() > 1) { x = v128.load_splat<u32>(p1, 0); b0 = madd(x, w0, b0); b1 = madd(x, w1, b1); b2 = madd(x, w2, b2); b3 = madd(x, w3, b3); }
        if (rows<T>() > 2) { x = v128.load_splat<u32>(p2, 0); c0 = madd(x, w0, c0); c1 = madd(x, w1, c1); c2 = madd(x, w2, c2); c3 = madd(x, w3, c3); }
        if (rows<T>() > 3) { x = v128.load_splat<u32>(p3, 0); d0 = madd(x, w0, d0); d1 = madd(x, w1, d1); d2 = madd(x, w2, d2); d3 = madd(x, w3, d3); }
        if (rows<T>() > 4) { x = v128.load_splat<u32>(p4, 0); e0 = madd(x, w0, e0); e1 = madd(x, w1, e1); e2 = madd(x, w2, e2); e3 = madd(x, w3, e3); }
        if (rows<T>() > 5) { x = v128.load_splat<u32>(p5, 0); f0 = madd(x, w0, f0); f1 = madd(x, w1, f1); f2 = madd(x, w2, f2); f3 = madd(x, w3, f3); }
      }
      w += wStep;
      if (p0 + 4 == end) break;
      {
        const w0 = v128.load(w, 0), w1 = v128.load(w, 16), w2 = v128.load(w, 32), w3 = v128.load(w, 48);
        let x = v128.load_splat<u32>(p0, 4);
        a0 = madd(x, w0, a0); a1 = madd(x, w1, a1); a2 = madd(x, w2, a2); a3 = madd(x, w3, a3);
        if (rows<T>() > 1) { x = v128.load_splat<u32>(p1, 4); b0 = madd(x, w0, b0); b1 = madd(x, w1, b1); b2 = madd(x, w2, b2); b3 = madd(x, w3, b3); }
        if (rows<T>() > 2) { x = v128.load_splat<u32>(p2, 4); c0 = madd(x, w0, c0); c1 = madd(x, w1, c1); c2 = madd(x, w2, c2); c3 = madd(x, w3, c3); }
        if (rows<T>() > 3) { x = v128.load_splat<u32>(p3, 4); d0 = madd(x, w0, d0); d1 = madd(x, w1, d1); d2 = madd(x, w2, d2); d3 = madd(x, w3, d3); }
        if (rows<T>() > 4) { x = v128.load_splat<u32>(p4, 4); e0 = madd(x, w0, e0); e1 = madd(x, w1, e1); e2 = madd(x, w2, e2); e3 = madd(x, w3, e3); }
        if (rows<T>() > 5) { x = v128.load_splat<u32>(p5, 4); f0 = madd(x, w0, f0); f1 = madd(x, w1, f1); f2 = madd(x, w2, f2); f3 = madd(x, w3, f3); }
      }
      w += wStep;
      p0 += 8;
      if (rows<T>() > 1) p1 += 8;
      if (rows<T>() > 2) p2 += 8;
      if (rows<T>() > 3) p3 += 8;
      if (rows<T>() > 4) p4 += 8;
      if (rows<T>() > 5) p5 += 8;
      if (p0 == end) break;
    }
  }
  store4(to, factors, a0, a1, a2, a3);
  if (rows<T>() > 1) { to += toStep; store4(to, factors, b0, b1, b2, b3); }
  if (rows<T>() > 2) { to += toStep; store4(to, factors, c0, c1, c2, c3); }
  if (rows<T>() > 3) { to += toStep; store4(to, factors, d0, d1, d2, d3); }
  if (rows<T>() > 4) { to += toStep; store4(to, factors, e0, e1, e2, e3); }
  if (rows<T>() > 5) { to += toStep; store4(to, factors, f0, f1, f2, f3); }
}

/** `sumBlock` of `height` rows of an image, the same positions of each, from the same numbers. */
function sumInputs<T>(
  input: usize, step: usize, runs: i32, runStep: usize, run: i32, w: usize, wStep: usize, from: usize, fromStep: usize, to: usize,
  toStep: usize, toRowStep: usize, height: i32, factors: usize,
): void {
  for (let y = 0; y < height; y++, input += runStep, to += toRowStep) {
    sumBlock<T>(input, step, runs, runStep, run, w, wStep, from, fromStep, to, toStep, factors);
  }
}

/** All stores of one sum precede the next one's: V8 joins pairs of vectors only then. */
@inline function store4(to: usize, factors: usize, a: v128, b: v128, c: v128, d: v128): void {
  const at = to + factors;
  if (factors && load<i32>(ACTIVATION) == RELU) {
    const zero = f32x4.splat(0);
    a = v128.and(a, f32x4.gt(v128.load(at), zero)); b = v128.and(b, f32x4.gt(v128.load(at, 16), zero));
    c = v128.and(c, f32x4.gt(v128.load(at, 32), zero)); d = v128.and(d, f32x4.gt(v128.load(at, 48), zero));
  } else if (factors) {
    a = f32x4.mul(a, v128.load(at)); b = f32x4.mul(b, v128.load(at, 16));
    c = f32x4.mul(c, v128.load(at, 32)); d = f32x4.mul(d, v128.load(at, 48));
  }
  v128.store(to, a); v128.store(to, b, 16); v128.store(to, c, 32); v128.store(to, d, 48);
}

/**
 * target_k += Σ_y Σ_x input_yx[k] dz_yx for the rows k of T: consecutive inputs, so rows of the gradient of the weights,
 * `targetStep` bytes apart. Sums run over the positions of an image; examples are a single row of positions.
 */
function sumPositions<T>(
  input: usize, step: usize, rowStep: usize, dz: usize, dzStep: usize, dzRowStep: usize, height: i32, width: i32, target: usize,
  targetStep: usize,
): void {
  let a0 = v128.load(target), a1 = v128.load(target, 16), a2 = v128.load(target, 32), a3 = v128.load(target, 48);
  let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  let c0 = a0, c1 = a0, c2 = a0, c3 = a0;
  let d0 = a0, d1 = a0, d2 = a0, d3 = a0;
  let e0 = a0, e1 = a0, e2 = a0, e3 = a0;
  let f0 = a0, f1 = a0, f2 = a0, f3 = a0;
  let at = target;
  if (rows<T>() > 1) { at += targetStep; b0 = v128.load(at); b1 = v128.load(at, 16); b2 = v128.load(at, 32); b3 = v128.load(at, 48); }
  if (rows<T>() > 2) { at += targetStep; c0 = v128.load(at); c1 = v128.load(at, 16); c2 = v128.load(at, 32); c3 = v128.load(at, 48); }
  if (rows<T>() > 3) { at += targetStep; d0 = v128.load(at); d1 = v128.load(at, 16); d2 = v128.load(at, 32); d3 = v128.load(at, 48); }
  if (rows<T>() > 4) { at += targetStep; e0 = v128.load(at); e1 = v128.load(at, 16); e2 = v128.load(at, 32); e3 = v128.load(at, 48); }
  if (rows<T>() > 5) { at += targetStep; f0 = v128.load(at); f1 = v128.load(at, 16); f2 = v128.load(at, 32); f3 = v128.load(at, 48); }
  for (let y = 0; y < height; y++, input += rowStep, dz += dzRowStep) {
    let p = input, d = dz;
    for (let x = 0; x < width; x++, p += step, d += dzStep) {
      const z0 = v128.load(d), z1 = v128.load(d, 16), z2 = v128.load(d, 32), z3 = v128.load(d, 48);
      let each = v128.load_splat<u32>(p);
      a0 = madd(each, z0, a0); a1 = madd(each, z1, a1); a2 = madd(each, z2, a2); a3 = madd(each, z3, a3);
      if (rows<T>() > 1) { each = v128.load_splat<u32>(p, 4); b0 = madd(each, z0, b0); b1 = madd(each, z1, b1); b2 = madd(each, z2, b2); b3 = madd(each, z3, b3); }
      if (rows<T>() > 2) { each = v128.load_splat<u32>(p, 8); c0 = madd(each, z0, c0); c1 = madd(each, z1, c1); c2 = madd(each, z2, c2); c3 = madd(each, z3, c3); }
      if (rows<T>() > 3) { each = v128.load_splat<u32>(p, 12); d0 = madd(each, z0, d0); d1 = madd(each, z1, d1); d2 = madd(each, z2, d2); d3 = madd(each, z3, d3); }
      if (rows<T>() > 4) { each = v128.load_splat<u32>(p, 16); e0 = madd(each, z0, e0); e1 = madd(each, z1, e1); e2 = madd(each, z2, e2); e3 = madd(each, z3, e3); }
      if (rows<T>() > 5) { each = v128.load_splat<u32>(p, 20); f0 = madd(each, z0, f0); f1 = madd(each, z1, f1); f2 = madd(each, z2, f2); f3 = madd(each, z3, f3); }
    }
  }
  v128.store(target, a0, 0); v128.store(target, a1, 16); v128.store(target, a2, 32); v128.store(target, a3, 48);
  if (rows<T>() > 1) { target += targetStep; v128.store(target, b0); v128.store(target, b1, 16); v128.store(target, b2, 32); v128.store(target, b3, 48); }
  if (rows<T>() > 2) { target += targetStep; v128.store(target, c0); v128.store(target, c1, 16); v128.store(target, c2, 32); v128.store(target, c3, 48); }
  if (rows<T>() > 3) { target += targetStep; v128.store(target, d0); v128.store(target, d1, 16); v128.store(target, d2, 32); v128.store(target, d3, 48); }
  if (rows<T>() > 4) { target += targetStep; v128.store(target, e0); v128.store(target, e1, 16); v128.store(target, e2, 32); v128.store(target, e3, 48); }
  if (rows<T>() > 5) { target += targetStep; v128.store(target, f0); v128.store(target, f1, 16); v128.store(target, f2, 32); v128.store(target, f3, 48); }
}

/** `sumInputs` of 1 to 6 rows. */
export function sumInputRows(
  count: i32, input: usize, step: usize, runs: i32, runStep: usize, run: i32, w: usize, wStep: usize, from: usize,
  fromStep: usize, to: usize, toStep: usize, toRowStep: usize, height: i32, factors: usize,
): void {
  switch (count) {
    case 1: sumInputs<P1>(input, step, runs, runStep, run, w, wStep, from, fromStep, to, toStep, toRowStep, height, factors); return;
    case 2: sumInputs<P2>(input, step, runs, runStep, run, w, wStep, from, fromStep, to, toStep, toRowStep, height, factors); return;
    case 3: sumInputs<P3>(input, step, runs, runStep, run, w, wStep, from, fromStep, to, toStep, toRowStep, height, factors); return;
    case 4: sumInputs<P4>(input, step, runs, runStep, run, w, wStep, from, fromStep, to, toStep, toRowStep, height, factors); return;
    case 5: sumInputs<P5>(input, step, runs, runStep, run, w, wStep, from, fromStep, to, toStep, toRowStep, height, factors); return;
    default: sumInputs<P6>(input, step, runs, runStep, run, w, wStep, from, fromStep, to, toStep, toRowStep, height, factors);
  }
}

/** `sumPositions` of 1 to 6 rows. */
export function sumPositionRows(
  count: i32, input: usize, step: usize, rowStep: usize, dz: usize, dzStep: usize, dzRowStep: usize, height: i32, width: i32,
  target: usize, targetStep: usize,
): void {
  switch (count) {
    case 1: sumPositions<P1>(input, step, rowStep, dz, dzStep, dzRowStep, height, width, target, targetStep); return;
    case 2: sumPositions<P2>(input, step, rowStep, dz, dzStep, dzRowStep, height, width, target, targetStep); return;
    case 3: sumPositions<P3>(input, step, rowStep, dz, dzStep, dzRowStep, height, width, target, targetStep); return;
    case 4: sumPositions<P4>(input, step, rowStep, dz, dzStep, dzRowStep, height, width, target, targetStep); return;
    case 5: sumPositions<P5>(input, step, rowStep, dz, dzStep, dzRowStep, height, width, target, targetStep); return;
    default: sumPositions<P6>(input, step, rowStep, dz, dzStep, dzRowStep, height, width, target, targetStep);
  }
}
