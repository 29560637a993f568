/**
 * The product over one panel of units: z[n] = b + Σ_j a[n, j] W[j], one example at a time.
 * A loop walks the example's list of non-zero inputs with the panel's sums in registers. Inputs are processed in
 * tiles, so that the tile of W stays in the first-level cache for all examples; sums still run over ascending j.
 */
import { LIST_START_BYTES, PIXEL_TABLE_BYTES } from '../constants.ts';
import { ORDER, PIXEL_VALUES, RECORDS, RECORD_STRIDE } from './addresses.ts';
import { madd, P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, pairs } from './vectors.ts';

/** The value of a byte of input j: u8 if all inputs have the same table, u16 if the three channels have their own. */
@inline function pixelValue<X>(table: usize, row: usize, j: usize, first: usize): v128 {
  const at = table + (<usize>load<u8>(row + j) << 2);
  if (sizeof<X>() == 1) return v128.load_splat<u32>(at);
  return v128.load_splat<u32>(at + ((first + j) % 3) * PIXEL_TABLE_BYTES);
}

/**
 * X is u8 or u16 for pixels (looked up in the tables of their values) and f32 for activations.
 * The tile begins at start number `tile` of a list and ends before number `tileEnd`. `seeds` is the bias row, or 0 to
 * continue from the sums in `output`.
 */
function walk<T, X>(
  first: i32, last: i32, input: usize, list: usize, tile: i32, tileEnd: i32, output: usize, seeds: usize, panel: usize,
  width: usize,
): void {
  const table: usize = load<u32>(PIXEL_VALUES);
  const stride: usize = load<u32>(RECORD_STRIDE);
  let record: usize = load<u32>(RECORDS) + <usize>first * stride;
  for (let n = first; n < last; n++, record += stride) {
    const out = record + output;
    const from = seeds ? seeds : out;
    const row = record + input;
    const starts = record + list;
    const entries = starts + LIST_START_BYTES;
    let entry = entries + (<usize>load<u32>(starts + (<usize>tile << 2)) << 1);
    const end = entries + (<usize>load<u32>(starts + (<usize>tileEnd << 2)) << 1);
    let a0 = v128.load(from), a1 = v128.load(from, 16);
    let a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0, a9 = a0;
    let a10 = a0, a11 = a0, a12 = a0, a13 = a0, a14 = a0, a15 = a0, a16 = a0, a17 = a0;
    let a18 = a0, a19 = a0, a20 = a0, a21 = a0, a22 = a0, a23 = a0;
    if (pairs<T>() > 1) { a2 = v128.load(from, 32); a3 = v128.load(from, 48); }
    if (pairs<T>() > 2) { a4 = v128.load(from, 64); a5 = v128.load(from, 80); }
    if (pairs<T>() > 3) { a6 = v128.load(from, 96); a7 = v128.load(from, 112); }
    if (pairs<T>() > 4) { a8 = v128.load(from, 128); a9 = v128.load(from, 144); }
    if (pairs<T>() > 5) { a10 = v128.load(from, 160); a11 = v128.load(from, 176); }
    if (pairs<T>() > 6) { a12 = v128.load(from, 192); a13 = v128.load(from, 208); }
    if (pairs<T>() > 7) { a14 = v128.load(from, 224); a15 = v128.load(from, 240); }
    if (pairs<T>() > 8) { a16 = v128.load(from, 256); a17 = v128.load(from, 272); }
    if (pairs<T>() > 9) { a18 = v128.load(from, 288); a19 = v128.load(from, 304); }
    if (pairs<T>() > 10) { a20 = v128.load(from, 320); a21 = v128.load(from, 336); }
    if (pairs<T>() > 11) { a22 = v128.load(from, 352); a23 = v128.load(from, 368); }
    for (; entry < end; entry += 2) {
      const j: usize = load<u16>(entry);
      const w = panel + j * width;
      let x: v128;
      if (sizeof<X>() < 4) x = pixelValue<X>(table, row, j, 0);
      else x = v128.load_splat<u32>(row + (j << 2));
      a0 = madd(x, v128.load(w), a0); a1 = madd(x, v128.load(w, 16), a1);
      if (pairs<T>() > 1) { a2 = madd(x, v128.load(w, 32), a2); a3 = madd(x, v128.load(w, 48), a3); }
      if (pairs<T>() > 2) { a4 = madd(x, v128.load(w, 64), a4); a5 = madd(x, v128.load(w, 80), a5); }
      if (pairs<T>() > 3) { a6 = madd(x, v128.load(w, 96), a6); a7 = madd(x, v128.load(w, 112), a7); }
      if (pairs<T>() > 4) { a8 = madd(x, v128.load(w, 128), a8); a9 = madd(x, v128.load(w, 144), a9); }
      if (pairs<T>() > 5) { a10 = madd(x, v128.load(w, 160), a10); a11 = madd(x, v128.load(w, 176), a11); }
      if (pairs<T>() > 6) { a12 = madd(x, v128.load(w, 192), a12); a13 = madd(x, v128.load(w, 208), a13); }
      if (pairs<T>() > 7) { a14 = madd(x, v128.load(w, 224), a14); a15 = madd(x, v128.load(w, 240), a15); }
      if (pairs<T>() > 8) { a16 = madd(x, v128.load(w, 256), a16); a17 = madd(x, v128.load(w, 272), a17); }
      if (pairs<T>() > 9) { a18 = madd(x, v128.load(w, 288), a18); a19 = madd(x, v128.load(w, 304), a19); }
      if (pairs<T>() > 10) { a20 = madd(x, v128.load(w, 320), a20); a21 = madd(x, v128.load(w, 336), a21); }
      if (pairs<T>() > 11) { a22 = madd(x, v128.load(w, 352), a22); a23 = madd(x, v128.load(w, 368), a23); }
    }
    v128.store(out, a0); v128.store(out, a1, 16);
    if (pairs<T>() > 1) { v128.store(out, a2, 32); v128.store(out, a3, 48); }
    if (pairs<T>() > 2) { v128.store(out, a4, 64); v128.store(out, a5, 80); }
    if (pairs<T>() > 3) { v128.store(out, a6, 96); v128.store(out, a7, 112); }
    if (pairs<T>() > 4) { v128.store(out, a8, 128); v128.store(out, a9, 144); }
    if (pairs<T>() > 5) { v128.store(out, a10, 160); v128.store(out, a11, 176); }
    if (pairs<T>() > 6) { v128.store(out, a12, 192); v128.store(out, a13, 208); }
    if (pairs<T>() > 7) { v128.store(out, a14, 224); v128.store(out, a15, 240); }
    if (pairs<T>() > 8) { v128.store(out, a16, 256); v128.store(out, a17, 272); }
    if (pairs<T>() > 9) { v128.store(out, a18, 288); v128.store(out, a19, 304); }
    if (pairs<T>() > 10) { v128.store(out, a20, 320); v128.store(out, a21, 336); }
    if (pairs<T>() > 11) { v128.store(out, a22, 352); v128.store(out, a23, 368); }
  }
}

/**
 * Computes examples first … last − 1, over one tile of inputs and `vectors` vectors of a panel whose rows have `width`
 * bytes. Of pixels, `vectors` is at most 12.
 */
export function walkRows<X>(
  vectors: i32, first: i32, last: i32, input: usize, list: usize, tile: i32, tileEnd: i32, output: usize, seeds: usize,
  panel: usize, width: usize,
): void {
  if (sizeof<X>() == 4 && vectors > 12) {
    switch (vectors) {
      case 14: walk<P7, X>(first, last, input, list, tile, tileEnd, output, seeds, panel, width); return;
      case 16: walk<P8, X>(first, last, input, list, tile, tileEnd, output, seeds, panel, width); return;
      case 18: walk<P9, X>(first, last, input, list, tile, tileEnd, output, seeds, panel, width); return;
      case 20: walk<P10, X>(first, last, input, list, tile, tileEnd, output, seeds, panel, width); return;
      case 22: walk<P11, X>(first, last, input, list, tile, tileEnd, output, seeds, panel, width); return;
      default: walk<P12, X>(first, last, input, list, tile, tileEnd, output, seeds, panel, width); return;
    }
  }
  switch (vectors) {
    case 2: walk<P1, X>(first, last, input, list, tile, tileEnd, output, seeds, panel, width); break;
    case 4: walk<P2, X>(first, last, input, list, tile, tileEnd, output, seeds, panel, width); break;
    case 6: walk<P3, X>(first, last, input, list, tile, tileEnd, output, seeds, panel, width); break;
    case 8: walk<P4, X>(first, last, input, list, tile, tileEnd, output, seeds, panel, width); break;
    case 10: walk<P5, X>(first, last, input, list, tile, tileEnd, output, seeds, panel, width); break;
    default: walk<P6, X>(first, last, input, list, tile, tileEnd, output, seeds, panel, width);
  }
}

/**
 * Two examples of pixels at a time, so that they share the loads of W; masks of the first have a bit for each input that
 * is not zero in either. Each sum keeps its order, and adding x W[j] for x = 0 changes no bit of it.
 * All stores of one example precede the other's: V8 joins pairs of vectors only then.
 */
@inline function walkPair<T, X>(
  record: usize, next: usize, input: usize, masks: usize, word: i32, wordEnd: i32, output: usize, seeds: usize,
  panel: usize, width: usize,
): void {
  const table: usize = load<u32>(PIXEL_VALUES);
  const out = record + output;
  const nextOut = next + output;
  const from = seeds ? seeds : out;
  const nextFrom = seeds ? seeds : nextOut;
  let a0 = v128.load(from), a1 = v128.load(from, 16);
  let a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0, a9 = a0;
  let a10 = a0, a11 = a0;
  let b0 = v128.load(nextFrom), b1 = v128.load(nextFrom, 16);
  let b2 = b0, b3 = b0, b4 = b0, b5 = b0, b6 = b0, b7 = b0, b8 = b0, b9 = b0;
  let b10 = b0, b11 = b0;
  if (pairs<T>() > 1) { a2 = v128.load(from, 32); a3 = v128.load(from, 48); }
  if (pairs<T>() > 2) { a4 = v128.load(from, 64); a5 = v128.load(from, 80); }
  if (pairs<T>() > 3) { a6 = v128.load(from, 96); a7 = v128.load(from, 112); }
  if (pairs<T>() > 4) { a8 = v128.load(from, 128); a9 = v128.load(from, 144); }
  if (pairs<T>() > 5) { a10 = v128.load(from, 160); a11 = v128.load(from, 176); }
  if (pairs<T>() > 1) { b2 = v128.load(nextFrom, 32); b3 = v128.load(nextFrom, 48); }
  if (pairs<T>() > 2) { b4 = v128.load(nextFrom, 64); b5 = v128.load(nextFrom, 80); }
  if (pairs<T>() > 3) { b6 = v128.load(nextFrom, 96); b7 = v128.load(nextFrom, 112); }
  if (pairs<T>() > 4) { b8 = v128.load(nextFrom, 128); b9 = v128.load(nextFrom, 144); }
  if (pairs<T>() > 5) { b10 = v128.load(nextFrom, 160); b11 = v128.load(nextFrom, 176); }
  for (let k = <usize>word; k < <usize>wordEnd; k++) {
    const row = record + input + (k << 6);
    const nextRow = next + input + (k << 6);
    const rows = panel + (k << 6) * width;
    for (let mask = load<u64>(record + masks + (k << 3)); mask != 0; mask &= mask - 1) {
      const j = <usize>ctz(mask);
      const w = rows + j * width;
      const x = pixelValue<X>(table, row, j, k << 6);
      const y = pixelValue<X>(table, nextRow, j, k << 6);
      let d: v128, e: v128;
      d = v128.load(w); e = v128.load(w, 16); a0 = madd(x, d, a0); a1 = madd(x, e, a1); b0 = madd(y, d, b0); b1 = madd(y, e, b1);
      if (pairs<T>() > 1) { d = v128.load(w, 32); e = v128.load(w, 48); a2 = madd(x, d, a2); a3 = madd(x, e, a3); b2 = madd(y, d, b2); b3 = madd(y, e, b3); }
      if (pairs<T>() > 2) { d = v128.load(w, 64); e = v128.load(w, 80); a4 = madd(x, d, a4); a5 = madd(x, e, a5); b4 = madd(y, d, b4); b5 = madd(y, e, b5); }
      if (pairs<T>() > 3) { d = v128.load(w, 96); e = v128.load(w, 112); a6 = madd(x, d, a6); a7 = madd(x, e, a7); b6 = madd(y, d, b6); b7 = madd(y, e, b7); }
      if (pairs<T>() > 4) { d = v128.load(w, 128); e = v128.load(w, 144); a8 = madd(x, d, a8); a9 = madd(x, e, a9); b8 = madd(y, d, b8); b9 = madd(y, e, b9); }
      if (pairs<T>() > 5) { d = v128.load(w, 160); e = v128.load(w, 176); a10 = madd(x, d, a10); a11 = madd(x, e, a11); b10 = madd(y, d, b10); b11 = madd(y, e, b11); }
    }
  }
  v128.store(out, a0); v128.store(out, a1, 16);
  if (pairs<T>() > 1) { v128.store(out, a2, 32); v128.store(out, a3, 48); }
  if (pairs<T>() > 2) { v128.store(out, a4, 64); v128.store(out, a5, 80); }
  if (pairs<T>() > 3) { v128.store(out, a6, 96); v128.store(out, a7, 112); }
  if (pairs<T>() > 4) { v128.store(out, a8, 128); v128.store(out, a9, 144); }
  if (pairs<T>() > 5) { v128.store(out, a10, 160); v128.store(out, a11, 176); }
  v128.store(nextOut, b0); v128.store(nextOut, b1, 16);
  if (pairs<T>() > 1) { v128.store(nextOut, b2, 32); v128.store(nextOut, b3, 48); }
  if (pairs<T>() > 2) { v128.store(nextOut, b4, 64); v128.store(nextOut, b5, 80); }
  if (pairs<T>() > 3) { v128.store(nextOut, b6, 96); v128.store(nextOut, b7, 112); }
  if (pairs<T>() > 4) { v128.store(nextOut, b8, 128); v128.store(nextOut, b9, 144); }
  if (pairs<T>() > 5) { v128.store(nextOut, b10, 160); v128.store(nextOut, b11, 176); }
}

/** Pairs of examples in the order of ORDER; an odd last one is paired with itself. */
function walkPairs<T, X>(
  first: i32, last: i32, input: usize, masks: usize, word: i32, wordEnd: i32, output: usize, seeds: usize, panel: usize,
  width: usize,
): void {
  const records: usize = load<u32>(RECORDS);
  const stride: usize = load<u32>(RECORD_STRIDE);
  for (let n = first; n < last; n += 2) {
    const record = records + <usize>load<u32>(ORDER + (<usize>n << 2)) * stride;
    const next = records + <usize>load<u32>(ORDER + (<usize>min(n + 1, last - 1) << 2)) * stride;
    walkPair<T, X>(record, next, input, masks, word, wordEnd, output, seeds, panel, width);
  }
}

/**
 * Computes what `walkRows` computes, of pairs of examples, over words `word` … `wordEnd` − 1 of their masks. `vectors` is
 * at most MAX_PAIRED_VECTORS.
 */
export function walkRowPairs<X>(
  vectors: i32, first: i32, last: i32, input: usize, masks: usize, word: i32, wordEnd: i32, output: usize, seeds: usize,
  panel: usize, width: usize,
): void {
  switch (vectors) {
    case 2: walkPairs<P1, X>(first, last, input, masks, word, wordEnd, output, seeds, panel, width); break;
    case 4: walkPairs<P2, X>(first, last, input, masks, word, wordEnd, output, seeds, panel, width); break;
    case 6: walkPairs<P3, X>(first, last, input, masks, word, wordEnd, output, seeds, panel, width); break;
    case 8: walkPairs<P4, X>(first, last, input, masks, word, wordEnd, output, seeds, panel, width); break;
    case 10: walkPairs<P5, X>(first, last, input, masks, word, wordEnd, output, seeds, panel, width); break;
    default: walkPairs<P6, X>(first, last, input, masks, word, wordEnd, output, seeds, panel, width);
  }
}
