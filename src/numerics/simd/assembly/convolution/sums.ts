/**
 * The two loops of multiply-adds of networks with convolutions.
 * A block has 1 to 6 rows of 16 sums, four vectors each; V8 joins them to two of 256 bits. Six rows are 12 joined sums, two joined
 * weights and one broadcast: the 15 registers of V8. V8 joins vectors within a basic block, and moves all loads of a block before
 * its multiply-adds. Each input therefore has a block of its own: four inputs in one block need more registers than there are,
 * and take 40 % longer. Without constant offsets in the stores, vectors are not joined.
 */
import { RELU } from '../../constants.ts';
import { ACTIVATION } from '../addresses.ts';
import { madd, P1, P2, P3, P4, P5, P6, pairs as rows } from '../vectors.ts';

/**
 * to_k ← from + Σ_r Σ_i input_rk[i] w[r, i] for the rows k of T: positions of a row of an image, or examples, `step` bytes
 * apart. Each sum has `runs` runs of `run` consecutive inputs, `runStep` bytes apart. With `factors`, to_k is multiplied by the
 * act' that is so many bytes after it, or of ReLU by the act' of the activation there.
 */
function sumInputs<T>(
  input: usize, step: usize, runs: i32, runStep: usize, run: i32, w: usize, from: usize, to: usize, toStep: usize, factors: usize,
): void {
  let a0 = v128.load(from), a1 = v128.load(from, 16), a2 = v128.load(from, 32), a3 = v128.load(from, 48);
  let b0 = a0, b1 = a1, b2 = a2, b3 = a3;
  let c0 = a0, c1 = a1, c2 = a2, c3 = a3;
  let d0 = a0, d1 = a1, d2 = a2, d3 = a3;
  let e0 = a0, e1 = a1, e2 = a2, e3 = a3;
  let f0 = a0, f1 = a1, f2 = a2, f3 = a3;
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
      if (p0 + 4 == end) { w += 64; break; }
      {
        const w0 = v128.load(w, 64), w1 = v128.load(w, 80), w2 = v128.load(w, 96), w3 = v128.load(w, 112);
        let x = v128.load_splat<u32>(p0, 4);
        a0 = madd(x, w0, a0); a1 = madd(x, w1, a1); a2 = madd(x, w2, a2); a3 = madd(x, w3, a3);
        if (rows<T>() > 1) { x = v128.load_splat<u32>(p1, 4); b0 = madd(x, w0, b0); b1 = madd(x, w1, b1); b2 = madd(x, w2, b2); b3 = madd(x, w3, b3); }
        if (rows<T>() > 2) { x = v128.load_splat<u32>(p2, 4); c0 = madd(x, w0, c0); c1 = madd(x, w1, c1); c2 = madd(x, w2, c2); c3 = madd(x, w3, c3); }
        if (rows<T>() > 3) { x = v128.load_splat<u32>(p3, 4); d0 = madd(x, w0, d0); d1 = madd(x, w1, d1); d2 = madd(x, w2, d2); d3 = madd(x, w3, d3); }
        if (rows<T>() > 4) { x = v128.load_splat<u32>(p4, 4); e0 = madd(x, w0, e0); e1 = madd(x, w1, e1); e2 = madd(x, w2, e2); e3 = madd(x, w3, e3); }
        if (rows<T>() > 5) { x = v128.load_splat<u32>(p5, 4); f0 = madd(x, w0, f0); f1 = madd(x, w1, f1); f2 = madd(x, w2, f2); f3 = madd(x, w3, f3); }
      }
      w += 128;
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
 * target_k += Σ_y Σ_x input_yx[k] dz_yx for the rows k of T: consecutive inputs, so rows of the gradient of the weights. Sums
 * run over the positions of an image; examples are a single row of positions.
 */
function sumPositions<T>(
  input: usize, step: usize, rowStep: usize, dz: usize, dzStep: usize, dzRowStep: usize, height: i32, width: i32, target: usize,
): void {
  let a0 = v128.load(target), a1 = v128.load(target, 16), a2 = v128.load(target, 32), a3 = v128.load(target, 48);
  let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  let c0 = a0, c1 = a0, c2 = a0, c3 = a0;
  let d0 = a0, d1 = a0, d2 = a0, d3 = a0;
  let e0 = a0, e1 = a0, e2 = a0, e3 = a0;
  let f0 = a0, f1 = a0, f2 = a0, f3 = a0;
  if (rows<T>() > 1) { b0 = v128.load(target, 64); b1 = v128.load(target, 80); b2 = v128.load(target, 96); b3 = v128.load(target, 112); }
  if (rows<T>() > 2) { c0 = v128.load(target, 128); c1 = v128.load(target, 144); c2 = v128.load(target, 160); c3 = v128.load(target, 176); }
  if (rows<T>() > 3) { d0 = v128.load(target, 192); d1 = v128.load(target, 208); d2 = v128.load(target, 224); d3 = v128.load(target, 240); }
  if (rows<T>() > 4) { e0 = v128.load(target, 256); e1 = v128.load(target, 272); e2 = v128.load(target, 288); e3 = v128.load(target, 304); }
  if (rows<T>() > 5) { f0 = v128.load(target, 320); f1 = v128.load(target, 336); f2 = v128.load(target, 352); f3 = v128.load(target, 368); }
  for (let y = 0; y < height; y++, input += rowStep, dz += dzRowStep) {
    let at = input, d = dz;
    for (let x = 0; x < width; x++, at += step, d += dzStep) {
      const z0 = v128.load(d), z1 = v128.load(d, 16), z2 = v128.load(d, 32), z3 = v128.load(d, 48);
      let each = v128.load_splat<u32>(at);
      a0 = madd(each, z0, a0); a1 = madd(each, z1, a1); a2 = madd(each, z2, a2); a3 = madd(each, z3, a3);
      if (rows<T>() > 1) { each = v128.load_splat<u32>(at, 4); b0 = madd(each, z0, b0); b1 = madd(each, z1, b1); b2 = madd(each, z2, b2); b3 = madd(each, z3, b3); }
      if (rows<T>() > 2) { each = v128.load_splat<u32>(at, 8); c0 = madd(each, z0, c0); c1 = madd(each, z1, c1); c2 = madd(each, z2, c2); c3 = madd(each, z3, c3); }
      if (rows<T>() > 3) { each = v128.load_splat<u32>(at, 12); d0 = madd(each, z0, d0); d1 = madd(each, z1, d1); d2 = madd(each, z2, d2); d3 = madd(each, z3, d3); }
      if (rows<T>() > 4) { each = v128.load_splat<u32>(at, 16); e0 = madd(each, z0, e0); e1 = madd(each, z1, e1); e2 = madd(each, z2, e2); e3 = madd(each, z3, e3); }
      if (rows<T>() > 5) { each = v128.load_splat<u32>(at, 20); f0 = madd(each, z0, f0); f1 = madd(each, z1, f1); f2 = madd(each, z2, f2); f3 = madd(each, z3, f3); }
    }
  }
  v128.store(target, a0, 0); v128.store(target, a1, 16); v128.store(target, a2, 32); v128.store(target, a3, 48);
  if (rows<T>() > 1) { v128.store(target, b0, 64); v128.store(target, b1, 80); v128.store(target, b2, 96); v128.store(target, b3, 112); }
  if (rows<T>() > 2) { v128.store(target, c0, 128); v128.store(target, c1, 144); v128.store(target, c2, 160); v128.store(target, c3, 176); }
  if (rows<T>() > 3) { v128.store(target, d0, 192); v128.store(target, d1, 208); v128.store(target, d2, 224); v128.store(target, d3, 240); }
  if (rows<T>() > 4) { v128.store(target, e0, 256); v128.store(target, e1, 272); v128.store(target, e2, 288); v128.store(target, e3, 304); }
  if (rows<T>() > 5) { v128.store(target, f0, 320); v128.store(target, f1, 336); v128.store(target, f2, 352); v128.store(target, f3, 368); }
}

/** `sumInputs` of 1 to 6 rows. */
export function sumInputRows(
  count: i32, input: usize, step: usize, runs: i32, runStep: usize, run: i32, w: usize, from: usize, to: usize, toStep: usize,
  factors: usize,
): void {
  switch (count) {
    case 1: sumInputs<P1>(input, step, runs, runStep, run, w, from, to, toStep, factors); return;
    case 2: sumInputs<P2>(input, step, runs, runStep, run, w, from, to, toStep, factors); return;
    case 3: sumInputs<P3>(input, step, runs, runStep, run, w, from, to, toStep, factors); return;
    case 4: sumInputs<P4>(input, step, runs, runStep, run, w, from, to, toStep, factors); return;
    case 5: sumInputs<P5>(input, step, runs, runStep, run, w, from, to, toStep, factors); return;
    default: sumInputs<P6>(input, step, runs, runStep, run, w, from, to, toStep, factors);
  }
}

/** `sumPositions` of 1 to 6 rows. */
export function sumPositionRows(
  count: i32, input: usize, step: usize, rowStep: usize, dz: usize, dzStep: usize, dzRowStep: usize, height: i32, width: i32,
  target: usize,
): void {
  switch (count) {
    case 1: sumPositions<P1>(input, step, rowStep, dz, dzStep, dzRowStep, height, width, target); return;
    case 2: sumPositions<P2>(input, step, rowStep, dz, dzStep, dzRowStep, height, width, target); return;
    case 3: sumPositions<P3>(input, step, rowStep, dz, dzStep, dzRowStep, height, width, target); return;
    case 4: sumPositions<P4>(input, step, rowStep, dz, dzStep, dzRowStep, height, width, target); return;
    case 5: sumPositions<P5>(input, step, rowStep, dz, dzStep, dzRowStep, height, width, target); return;
    default: sumPositions<P6>(input, step, rowStep, dz, dzStep, dzRowStep, height, width, target);
  }
}
