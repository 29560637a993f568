/**
 * The weight gradient over one panel of units: dW[j] = Σ_n a[n, j] dz[n], one input j at a time.
 * A loop walks the list of the examples in which the input is not zero, with the panel's sums in registers. Sums
 * start from the weights themselves or from zero.
 */
import { PIXEL_TABLE_STEP, PIXEL_VALUES, RECORDS, RECORD_STRIDE } from './addresses.ts';
import { madd, P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, pairs } from './vectors.ts';

/**
 * X is u8 for pixels, f32 for activations, and f64 for the constant input 1 of the biases. An entry of the list is the
 * offset of an example's record with both its inputs and its dz. Lists have even length and two entries are
 * processed per iteration: enough instructions to hide the mispredicted branch at the end of a list.
 */
@inline function walk<T, X>(
  target: usize, from: usize, entry: usize, end: usize, input: usize, gradient: usize, table: usize,
): void {
  let x = f32x4.splat(1);
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
  for (; entry < end; entry += 8) {
    {
      const offset: usize = load<u32>(entry);
      const dz = gradient + offset;
      if (sizeof<X>() == 1) x = v128.load_splat<u32>(table + (<usize>load<u8>(input + offset) << 2));
      else if (sizeof<X>() == 4) x = v128.load_splat<u32>(input + offset);
      a0 = madd(x, v128.load(dz), a0); a1 = madd(x, v128.load(dz, 16), a1);
      if (pairs<T>() > 1) { a2 = madd(x, v128.load(dz, 32), a2); a3 = madd(x, v128.load(dz, 48), a3); }
      if (pairs<T>() > 2) { a4 = madd(x, v128.load(dz, 64), a4); a5 = madd(x, v128.load(dz, 80), a5); }
      if (pairs<T>() > 3) { a6 = madd(x, v128.load(dz, 96), a6); a7 = madd(x, v128.load(dz, 112), a7); }
      if (pairs<T>() > 4) { a8 = madd(x, v128.load(dz, 128), a8); a9 = madd(x, v128.load(dz, 144), a9); }
      if (pairs<T>() > 5) { a10 = madd(x, v128.load(dz, 160), a10); a11 = madd(x, v128.load(dz, 176), a11); }
      if (pairs<T>() > 6) { a12 = madd(x, v128.load(dz, 192), a12); a13 = madd(x, v128.load(dz, 208), a13); }
      if (pairs<T>() > 7) { a14 = madd(x, v128.load(dz, 224), a14); a15 = madd(x, v128.load(dz, 240), a15); }
      if (pairs<T>() > 8) { a16 = madd(x, v128.load(dz, 256), a16); a17 = madd(x, v128.load(dz, 272), a17); }
      if (pairs<T>() > 9) { a18 = madd(x, v128.load(dz, 288), a18); a19 = madd(x, v128.load(dz, 304), a19); }
      if (pairs<T>() > 10) { a20 = madd(x, v128.load(dz, 320), a20); a21 = madd(x, v128.load(dz, 336), a21); }
      if (pairs<T>() > 11) { a22 = madd(x, v128.load(dz, 352), a22); a23 = madd(x, v128.load(dz, 368), a23); }
    }
    {
      const offset: usize = load<u32>(entry, 4);
      const dz = gradient + offset;
      if (sizeof<X>() == 1) x = v128.load_splat<u32>(table + (<usize>load<u8>(input + offset) << 2));
      else if (sizeof<X>() == 4) x = v128.load_splat<u32>(input + offset);
      a0 = madd(x, v128.load(dz), a0); a1 = madd(x, v128.load(dz, 16), a1);
      if (pairs<T>() > 1) { a2 = madd(x, v128.load(dz, 32), a2); a3 = madd(x, v128.load(dz, 48), a3); }
      if (pairs<T>() > 2) { a4 = madd(x, v128.load(dz, 64), a4); a5 = madd(x, v128.load(dz, 80), a5); }
      if (pairs<T>() > 3) { a6 = madd(x, v128.load(dz, 96), a6); a7 = madd(x, v128.load(dz, 112), a7); }
      if (pairs<T>() > 4) { a8 = madd(x, v128.load(dz, 128), a8); a9 = madd(x, v128.load(dz, 144), a9); }
      if (pairs<T>() > 5) { a10 = madd(x, v128.load(dz, 160), a10); a11 = madd(x, v128.load(dz, 176), a11); }
      if (pairs<T>() > 6) { a12 = madd(x, v128.load(dz, 192), a12); a13 = madd(x, v128.load(dz, 208), a13); }
      if (pairs<T>() > 7) { a14 = madd(x, v128.load(dz, 224), a14); a15 = madd(x, v128.load(dz, 240), a15); }
      if (pairs<T>() > 8) { a16 = madd(x, v128.load(dz, 256), a16); a17 = madd(x, v128.load(dz, 272), a17); }
      if (pairs<T>() > 9) { a18 = madd(x, v128.load(dz, 288), a18); a19 = madd(x, v128.load(dz, 304), a19); }
      if (pairs<T>() > 10) { a20 = madd(x, v128.load(dz, 320), a20); a21 = madd(x, v128.load(dz, 336), a21); }
      if (pairs<T>() > 11) { a22 = madd(x, v128.load(dz, 352), a22); a23 = madd(x, v128.load(dz, 368), a23); }
    }
  }
  v128.store(target, a0); v128.store(target, a1, 16);
  if (pairs<T>() > 1) { v128.store(target, a2, 32); v128.store(target, a3, 48); }
  if (pairs<T>() > 2) { v128.store(target, a4, 64); v128.store(target, a5, 80); }
  if (pairs<T>() > 3) { v128.store(target, a6, 96); v128.store(target, a7, 112); }
  if (pairs<T>() > 4) { v128.store(target, a8, 128); v128.store(target, a9, 144); }
  if (pairs<T>() > 5) { v128.store(target, a10, 160); v128.store(target, a11, 176); }
  if (pairs<T>() > 6) { v128.store(target, a12, 192); v128.store(target, a13, 208); }
  if (pairs<T>() > 7) { v128.store(target, a14, 224); v128.store(target, a15, 240); }
  if (pairs<T>() > 8) { v128.store(target, a16, 256); v128.store(target, a17, 272); }
  if (pairs<T>() > 9) { v128.store(target, a18, 288); v128.store(target, a19, 304); }
  if (pairs<T>() > 10) { v128.store(target, a20, 320); v128.store(target, a21, 336); }
  if (pairs<T>() > 11) { v128.store(target, a22, 352); v128.store(target, a23, 368); }
}

/** The table of the values of input j; a fourth table repeats the first one. */
export function pixelTable(j: i32): usize {
  return <usize>load<u32>(PIXEL_VALUES) + <usize>(j % 3) * <usize>load<u32>(PIXEL_TABLE_STEP);
}

/** The table of the input that is `inputs` (at most 3) later. */
@inline function laterTable(table: usize, step: usize, inputs: usize): usize {
  const later = table + inputs * step;
  return later < <usize>load<u32>(PIXEL_VALUES) + 3 * step ? later : later - 3 * step;
}

/**
 * Sums `count` rows of a panel from `target` on, `width` bytes apart; list k is at lists + k · listBytes and has
 * lengths[k] entries. `input` is the offset of the first row's value within a record; the values of further rows follow
 * it directly.
 */
function walkAll<T, X>(
  target: usize, width: usize, count: i32, lists: usize, listBytes: usize, lengths: usize, input: usize, gradient: usize,
  table: usize,
): void {
  const records: usize = load<u32>(RECORDS);
  const step: usize = load<u32>(PIXEL_TABLE_STEP);
  gradient += records;
  input += records;
  for (let k = 0; k < count; k++) {
    walk<T, X>(target, target, lists, lists + (<usize>load<u32>(lengths) << 2), input, gradient, table);
    if (sizeof<X>() == 1) table = laterTable(table, step, 1);
    target += width;
    lists += listBytes;
    lengths += 4;
    input += sizeof<X>();
  }
}

/** Sums rows of any inputs; `vectors` is at most 12 if they are pixels. */
export function walkColumns<X>(
  vectors: i32, target: usize, width: usize, count: i32, lists: usize, listBytes: usize, lengths: usize, input: usize,
  gradient: usize, table: usize,
): void {
  if (sizeof<X>() > 1 && vectors > 12) {
    switch (vectors) {
      case 14: walkAll<P7, X>(target, width, count, lists, listBytes, lengths, input, gradient, table); return;
      case 16: walkAll<P8, X>(target, width, count, lists, listBytes, lengths, input, gradient, table); return;
      case 18: walkAll<P9, X>(target, width, count, lists, listBytes, lengths, input, gradient, table); return;
      case 20: walkAll<P10, X>(target, width, count, lists, listBytes, lengths, input, gradient, table); return;
      case 22: walkAll<P11, X>(target, width, count, lists, listBytes, lengths, input, gradient, table); return;
      default: walkAll<P12, X>(target, width, count, lists, listBytes, lengths, input, gradient, table); return;
    }
  }
  switch (vectors) {
    case 2: walkAll<P1, X>(target, width, count, lists, listBytes, lengths, input, gradient, table); break;
    case 4: walkAll<P2, X>(target, width, count, lists, listBytes, lengths, input, gradient, table); break;
    case 6: walkAll<P3, X>(target, width, count, lists, listBytes, lengths, input, gradient, table); break;
    case 8: walkAll<P4, X>(target, width, count, lists, listBytes, lengths, input, gradient, table); break;
    case 10: walkAll<P5, X>(target, width, count, lists, listBytes, lengths, input, gradient, table); break;
    default: walkAll<P6, X>(target, width, count, lists, listBytes, lengths, input, gradient, table);
  }
}

/**
 * Inputs j and j + 1 at a time, so that they share the loads of dz; `mask` has a bit for each example in which either is
 * not zero. Each sum keeps its order, and adding x dz for x = 0 changes no bit of it.
 * All stores of one target precede the other's: V8 joins pairs of vectors only then.
 */
@inline function walkPair<T>(
  target: usize, width: usize, mask: u64, stride: usize, input: usize, gradient: usize, table: usize, nextTable: usize,
): void {
  const next = target + width;
  let a0 = v128.load(target), a1 = v128.load(target, 16);
  let a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0, a9 = a0;
  let a10 = a0, a11 = a0;
  let b0 = v128.load(next), b1 = v128.load(next, 16);
  let b2 = b0, b3 = b0, b4 = b0, b5 = b0, b6 = b0, b7 = b0, b8 = b0, b9 = b0;
  let b10 = b0, b11 = b0;
  if (pairs<T>() > 1) { a2 = v128.load(target, 32); a3 = v128.load(target, 48); }
  if (pairs<T>() > 2) { a4 = v128.load(target, 64); a5 = v128.load(target, 80); }
  if (pairs<T>() > 3) { a6 = v128.load(target, 96); a7 = v128.load(target, 112); }
  if (pairs<T>() > 4) { a8 = v128.load(target, 128); a9 = v128.load(target, 144); }
  if (pairs<T>() > 5) { a10 = v128.load(target, 160); a11 = v128.load(target, 176); }
  if (pairs<T>() > 1) { b2 = v128.load(next, 32); b3 = v128.load(next, 48); }
  if (pairs<T>() > 2) { b4 = v128.load(next, 64); b5 = v128.load(next, 80); }
  if (pairs<T>() > 3) { b6 = v128.load(next, 96); b7 = v128.load(next, 112); }
  if (pairs<T>() > 4) { b8 = v128.load(next, 128); b9 = v128.load(next, 144); }
  if (pairs<T>() > 5) { b10 = v128.load(next, 160); b11 = v128.load(next, 176); }
  for (; mask != 0; mask &= mask - 1) {
    const offset = <usize>ctz(mask) * stride;
    const dz = gradient + offset;
    const x = v128.load_splat<u32>(table + (<usize>load<u8>(input + offset) << 2));
    const y = v128.load_splat<u32>(nextTable + (<usize>load<u8>(input + offset, 1) << 2));
    let d: v128, e: v128;
    d = v128.load(dz); e = v128.load(dz, 16); a0 = madd(x, d, a0); a1 = madd(x, e, a1); b0 = madd(y, d, b0); b1 = madd(y, e, b1);
    if (pairs<T>() > 1) { d = v128.load(dz, 32); e = v128.load(dz, 48); a2 = madd(x, d, a2); a3 = madd(x, e, a3); b2 = madd(y, d, b2); b3 = madd(y, e, b3); }
    if (pairs<T>() > 2) { d = v128.load(dz, 64); e = v128.load(dz, 80); a4 = madd(x, d, a4); a5 = madd(x, e, a5); b4 = madd(y, d, b4); b5 = madd(y, e, b5); }
    if (pairs<T>() > 3) { d = v128.load(dz, 96); e = v128.load(dz, 112); a6 = madd(x, d, a6); a7 = madd(x, e, a7); b6 = madd(y, d, b6); b7 = madd(y, e, b7); }
    if (pairs<T>() > 4) { d = v128.load(dz, 128); e = v128.load(dz, 144); a8 = madd(x, d, a8); a9 = madd(x, e, a9); b8 = madd(y, d, b8); b9 = madd(y, e, b9); }
    if (pairs<T>() > 5) { d = v128.load(dz, 160); e = v128.load(dz, 176); a10 = madd(x, d, a10); a11 = madd(x, e, a11); b10 = madd(y, d, b10); b11 = madd(y, e, b11); }
  }
  v128.store(target, a0); v128.store(target, a1, 16);
  if (pairs<T>() > 1) { v128.store(target, a2, 32); v128.store(target, a3, 48); }
  if (pairs<T>() > 2) { v128.store(target, a4, 64); v128.store(target, a5, 80); }
  if (pairs<T>() > 3) { v128.store(target, a6, 96); v128.store(target, a7, 112); }
  if (pairs<T>() > 4) { v128.store(target, a8, 128); v128.store(target, a9, 144); }
  if (pairs<T>() > 5) { v128.store(target, a10, 160); v128.store(target, a11, 176); }
  v128.store(next, b0); v128.store(next, b1, 16);
  if (pairs<T>() > 1) { v128.store(next, b2, 32); v128.store(next, b3, 48); }
  if (pairs<T>() > 2) { v128.store(next, b4, 64); v128.store(next, b5, 80); }
  if (pairs<T>() > 3) { v128.store(next, b6, 96); v128.store(next, b7, 112); }
  if (pairs<T>() > 4) { v128.store(next, b8, 128); v128.store(next, b9, 144); }
  if (pairs<T>() > 5) { v128.store(next, b10, 160); v128.store(next, b11, 176); }
}

/** Sums 2 · `rowPairs` rows of `width` bytes as `walkAll` sums rows, with a mask of the tile's examples for each pair. */
function walkAllPairs<T>(
  target: usize, width: usize, rowPairs: i32, masks: usize, input: usize, gradient: usize, table: usize,
): void {
  const records: usize = load<u32>(RECORDS);
  const stride: usize = load<u32>(RECORD_STRIDE);
  const step: usize = load<u32>(PIXEL_TABLE_STEP);
  gradient += records;
  input += records;
  for (let k = 0; k < rowPairs; k++) {
    walkPair<T>(target, width, load<u64>(masks), stride, input, gradient, table, table + step);
    table = laterTable(table, step, 2);
    target += width << 1;
    masks += 8;
    input += 2;
  }
}

/** `vectors` is at most MAX_PAIRED_VECTORS. */
export function walkColumnPairs(
  vectors: i32, target: usize, width: usize, rowPairs: i32, masks: usize, input: usize, gradient: usize,
  table: usize,
): void {
  switch (vectors) {
    case 2: walkAllPairs<P1>(target, width, rowPairs, masks, input, gradient, table); break;
    case 4: walkAllPairs<P2>(target, width, rowPairs, masks, input, gradient, table); break;
    case 6: walkAllPairs<P3>(target, width, rowPairs, masks, input, gradient, table); break;
    case 8: walkAllPairs<P4>(target, width, rowPairs, masks, input, gradient, table); break;
    case 10: walkAllPairs<P5>(target, width, rowPairs, masks, input, gradient, table); break;
    default: walkAllPairs<P6>(target, width, rowPairs, masks, input, gradient, table);
  }
}
