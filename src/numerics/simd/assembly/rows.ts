/**
 * The product over one panel of units: z[n] = b + Σ_j a[n, j] W[j], one example at a time.
 * A loop walks the example's list of non-zero inputs with the panel's sums in registers. Inputs are processed in
 * tiles of TILE_ROWS, so that the tile of W stays in the first-level cache for all examples; sums still run over
 * ascending j.
 */
import { PIXEL_VALUES, RECORDS, RECORD_STRIDE } from './addresses.ts';
import {
  madd,
  V1,
  V2,
  V3,
  V4,
  V5,
  V6,
  V7,
  V8,
  V9,
  V10,
  V11,
  V12,
} from './vectors.ts';

/**
 * X is u8 for pixels, which are looked up in the table of their values, and f32 for activations.
 * `seeds` is the bias row, or 0 to continue from the sums in `output`.
 */
function walk<T, X>(
  first: i32,
  last: i32,
  input: usize,
  list: usize,
  tile: i32,
  output: usize,
  seeds: usize,
  panel: usize,
): void {
  const table: usize = load<u32>(PIXEL_VALUES);
  const stride: usize = load<u32>(RECORD_STRIDE);
  let record: usize = load<u32>(RECORDS) + <usize>first * stride;
  for (let n = first; n < last; n++, record += stride) {
    const out = record + output;
    const from = seeds ? seeds : out;
    const row = record + input;
    const starts = record + list + ((<usize>tile) << 2);
    const entries = record + list + 128;
    let entry = entries + ((<usize>load<u32>(starts)) << 1);
    const end = entries + ((<usize>load<u32>(starts, 4)) << 1);
    let a0 = v128.load(from),
      a1 = a0,
      a2 = a0,
      a3 = a0,
      a4 = a0,
      a5 = a0;
    let a6 = a0,
      a7 = a0,
      a8 = a0,
      a9 = a0,
      a10 = a0,
      a11 = a0;
    if (offsetof<T>() > 1) a1 = v128.load(from, 16);
    if (offsetof<T>() > 2) a2 = v128.load(from, 32);
    if (offsetof<T>() > 3) a3 = v128.load(from, 48);
    if (offsetof<T>() > 4) a4 = v128.load(from, 64);
    if (offsetof<T>() > 5) a5 = v128.load(from, 80);
    if (offsetof<T>() > 6) a6 = v128.load(from, 96);
    if (offsetof<T>() > 7) a7 = v128.load(from, 112);
    if (offsetof<T>() > 8) a8 = v128.load(from, 128);
    if (offsetof<T>() > 9) a9 = v128.load(from, 144);
    if (offsetof<T>() > 10) a10 = v128.load(from, 160);
    if (offsetof<T>() > 11) a11 = v128.load(from, 176);
    for (; entry < end; entry += 2) {
      const j: usize = load<u16>(entry);
      const w = panel + j * (offsetof<T>() << 4);
      let x: v128;
      if (sizeof<X>() == 1) x = v128.load_splat<u32>(table + ((<usize>load<u8>(row + j)) << 2));
      else x = v128.load_splat<u32>(row + (j << 2));
      a0 = madd(x, v128.load(w), a0);
      if (offsetof<T>() > 1) a1 = madd(x, v128.load(w, 16), a1);
      if (offsetof<T>() > 2) a2 = madd(x, v128.load(w, 32), a2);
      if (offsetof<T>() > 3) a3 = madd(x, v128.load(w, 48), a3);
      if (offsetof<T>() > 4) a4 = madd(x, v128.load(w, 64), a4);
      if (offsetof<T>() > 5) a5 = madd(x, v128.load(w, 80), a5);
      if (offsetof<T>() > 6) a6 = madd(x, v128.load(w, 96), a6);
      if (offsetof<T>() > 7) a7 = madd(x, v128.load(w, 112), a7);
      if (offsetof<T>() > 8) a8 = madd(x, v128.load(w, 128), a8);
      if (offsetof<T>() > 9) a9 = madd(x, v128.load(w, 144), a9);
      if (offsetof<T>() > 10) a10 = madd(x, v128.load(w, 160), a10);
      if (offsetof<T>() > 11) a11 = madd(x, v128.load(w, 176), a11);
    }
    v128.store(out, a0);
    if (offsetof<T>() > 1) v128.store(out, a1, 16);
    if (offsetof<T>() > 2) v128.store(out, a2, 32);
    if (offsetof<T>() > 3) v128.store(out, a3, 48);
    if (offsetof<T>() > 4) v128.store(out, a4, 64);
    if (offsetof<T>() > 5) v128.store(out, a5, 80);
    if (offsetof<T>() > 6) v128.store(out, a6, 96);
    if (offsetof<T>() > 7) v128.store(out, a7, 112);
    if (offsetof<T>() > 8) v128.store(out, a8, 128);
    if (offsetof<T>() > 9) v128.store(out, a9, 144);
    if (offsetof<T>() > 10) v128.store(out, a10, 160);
    if (offsetof<T>() > 11) v128.store(out, a11, 176);
  }
}

/** Computes examples first … last − 1, over one panel of `vectors` vectors and one tile of inputs. */
export function walkRows<X>(
  vectors: i32,
  first: i32,
  last: i32,
  input: usize,
  list: usize,
  tile: i32,
  output: usize,
  seeds: usize,
  panel: usize,
): void {
  switch (vectors) {
    case 1:
      walk<V1, X>(first, last, input, list, tile, output, seeds, panel);
      break;
    case 2:
      walk<V2, X>(first, last, input, list, tile, output, seeds, panel);
      break;
    case 3:
      walk<V3, X>(first, last, input, list, tile, output, seeds, panel);
      break;
    case 4:
      walk<V4, X>(first, last, input, list, tile, output, seeds, panel);
      break;
    case 5:
      walk<V5, X>(first, last, input, list, tile, output, seeds, panel);
      break;
    case 6:
      walk<V6, X>(first, last, input, list, tile, output, seeds, panel);
      break;
    case 7:
      walk<V7, X>(first, last, input, list, tile, output, seeds, panel);
      break;
    case 8:
      walk<V8, X>(first, last, input, list, tile, output, seeds, panel);
      break;
    case 9:
      walk<V9, X>(first, last, input, list, tile, output, seeds, panel);
      break;
    case 10:
      walk<V10, X>(first, last, input, list, tile, output, seeds, panel);
      break;
    case 11:
      walk<V11, X>(first, last, input, list, tile, output, seeds, panel);
      break;
    default:
      walk<V12, X>(first, last, input, list, tile, output, seeds, panel);
  }
}

/**
 * Two examples of pixels at a time, so that they share the loads of W; the list of the first names the inputs that are
 * not zero in either. Each sum keeps its order, and adding x W[j] for x = 0 changes no bit of it.
 * All stores of one example precede those of the other: V8 joins pairs of vectors only then.
 */
@inline function walkPair<T>(record: usize, next: usize, input: usize, list: usize, tile: i32, output: usize, seeds: usize, panel: usize): void {
  const table: usize = load<u32>(PIXEL_VALUES);
  const out = record + output;
  const nextOut = next + output;
  const from = seeds ? seeds : out;
  const nextFrom = seeds ? seeds : nextOut;
  const row = record + input;
  const nextRow = next + input;
  const starts = record + list + (<usize>tile << 2);
  const entries = record + list + 128;
  let entry = entries + (<usize>load<u32>(starts) << 1);
  const end = entries + (<usize>load<u32>(starts, 4) << 1);
  let a0 = v128.load(from), a1 = a0, a2 = a0, a3 = a0, a4 = a0;
  let a5 = a0, a6 = a0, a7 = a0, a8 = a0, a9 = a0;
  let b0 = v128.load(nextFrom), b1 = b0, b2 = b0, b3 = b0, b4 = b0;
  let b5 = b0, b6 = b0, b7 = b0, b8 = b0, b9 = b0;
  if (offsetof<T>() > 1) a1 = v128.load(from, 16);
  if (offsetof<T>() > 2) a2 = v128.load(from, 32);
  if (offsetof<T>() > 3) a3 = v128.load(from, 48);
  if (offsetof<T>() > 4) a4 = v128.load(from, 64);
  if (offsetof<T>() > 5) a5 = v128.load(from, 80);
  if (offsetof<T>() > 6) a6 = v128.load(from, 96);
  if (offsetof<T>() > 7) a7 = v128.load(from, 112);
  if (offsetof<T>() > 8) a8 = v128.load(from, 128);
  if (offsetof<T>() > 9) a9 = v128.load(from, 144);
  if (offsetof<T>() > 1) b1 = v128.load(nextFrom, 16);
  if (offsetof<T>() > 2) b2 = v128.load(nextFrom, 32);
  if (offsetof<T>() > 3) b3 = v128.load(nextFrom, 48);
  if (offsetof<T>() > 4) b4 = v128.load(nextFrom, 64);
  if (offsetof<T>() > 5) b5 = v128.load(nextFrom, 80);
  if (offsetof<T>() > 6) b6 = v128.load(nextFrom, 96);
  if (offsetof<T>() > 7) b7 = v128.load(nextFrom, 112);
  if (offsetof<T>() > 8) b8 = v128.load(nextFrom, 128);
  if (offsetof<T>() > 9) b9 = v128.load(nextFrom, 144);
  for (; entry < end; entry += 2) {
    const j: usize = load<u16>(entry);
    const w = panel + j * (offsetof<T>() << 4);
    const x = v128.load_splat<u32>(table + (<usize>load<u8>(row + j) << 2));
    const y = v128.load_splat<u32>(table + (<usize>load<u8>(nextRow + j) << 2));
    let d: v128;
    d = v128.load(w); a0 = madd(x, d, a0); b0 = madd(y, d, b0);
    if (offsetof<T>() > 1) { d = v128.load(w, 16); a1 = madd(x, d, a1); b1 = madd(y, d, b1); }
    if (offsetof<T>() > 2) { d = v128.load(w, 32); a2 = madd(x, d, a2); b2 = madd(y, d, b2); }
    if (offsetof<T>() > 3) { d = v128.load(w, 48); a3 = madd(x, d, a3); b3 = madd(y, d, b3); }
    if (offsetof<T>() > 4) { d = v128.load(w, 64); a4 = madd(x, d, a4); b4 = madd(y, d, b4); }
    if (offsetof<T>() > 5) { d = v128.load(w, 80); a5 = madd(x, d, a5); b5 = madd(y, d, b5); }
    if (offsetof<T>() > 6) { d = v128.load(w, 96); a6 = madd(x, d, a6); b6 = madd(y, d, b6); }
    if (offsetof<T>() > 7) { d = v128.load(w, 112); a7 = madd(x, d, a7); b7 = madd(y, d, b7); }
    if (offsetof<T>() > 8) { d = v128.load(w, 128); a8 = madd(x, d, a8); b8 = madd(y, d, b8); }
    if (offsetof<T>() > 9) { d = v128.load(w, 144); a9 = madd(x, d, a9); b9 = madd(y, d, b9); }
  }
  v128.store(out, a0);
  if (offsetof<T>() > 1) v128.store(out, a1, 16);
  if (offsetof<T>() > 2) v128.store(out, a2, 32);
  if (offsetof<T>() > 3) v128.store(out, a3, 48);
  if (offsetof<T>() > 4) v128.store(out, a4, 64);
  if (offsetof<T>() > 5) v128.store(out, a5, 80);
  if (offsetof<T>() > 6) v128.store(out, a6, 96);
  if (offsetof<T>() > 7) v128.store(out, a7, 112);
  if (offsetof<T>() > 8) v128.store(out, a8, 128);
  if (offsetof<T>() > 9) v128.store(out, a9, 144);
  v128.store(nextOut, b0);
  if (offsetof<T>() > 1) v128.store(nextOut, b1, 16);
  if (offsetof<T>() > 2) v128.store(nextOut, b2, 32);
  if (offsetof<T>() > 3) v128.store(nextOut, b3, 48);
  if (offsetof<T>() > 4) v128.store(nextOut, b4, 64);
  if (offsetof<T>() > 5) v128.store(nextOut, b5, 80);
  if (offsetof<T>() > 6) v128.store(nextOut, b6, 96);
  if (offsetof<T>() > 7) v128.store(nextOut, b7, 112);
  if (offsetof<T>() > 8) v128.store(nextOut, b8, 128);
  if (offsetof<T>() > 9) v128.store(nextOut, b9, 144);
}

/** Pairs of examples; an odd last one has a list of its own. */
function walkPairs<T>(
  first: i32, last: i32, input: usize, list: usize, tile: i32, output: usize, seeds: usize, panel: usize,
): void {
  const stride: usize = load<u32>(RECORD_STRIDE);
  let record: usize = load<u32>(RECORDS) + <usize>first * stride;
  let n = first;
  for (; n + 1 < last; n += 2, record += stride << 1) {
    walkPair<T>(record, record + stride, input, list, tile, output, seeds, panel);
  }
  if (n < last) walk<T, u8>(n, last, input, list, tile, output, seeds, panel);
}

/** Computes what `walkRows` computes, of pixels listed in pairs. `vectors` is even and at most MAX_PAIRED_VECTORS. */
export function walkRowPairs(
  vectors: i32, first: i32, last: i32, input: usize, list: usize, tile: i32, output: usize, seeds: usize, panel: usize,
): void {
  switch (vectors) {
    case 2: walkPairs<V2>(first, last, input, list, tile, output, seeds, panel); break;
    case 4: walkPairs<V4>(first, last, input, list, tile, output, seeds, panel); break;
    case 6: walkPairs<V6>(first, last, input, list, tile, output, seeds, panel); break;
    case 8: walkPairs<V8>(first, last, input, list, tile, output, seeds, panel); break;
    default: walkPairs<V10>(first, last, input, list, tile, output, seeds, panel);
  }
}
