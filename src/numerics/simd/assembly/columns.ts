/**
 * The weight gradient over one panel of units: dW[j] = Σ_n a[n, j] dz[n], one input j at a time.
 * A loop walks the list of the examples in which the input is not zero, with the panel's sums in registers. Sums
 * start from the weights themselves or from zero.
 */
import { PIXEL_VALUES, RECORDS } from './addresses.ts';
import { madd, V1, V2, V3, V4, V5, V6, V7, V8, V9, V10, V11, V12 } from './vectors.ts';

/**
 * X is u8 for pixels, f32 for activations, and f64 for the constant input 1 of the biases. An entry of the list is the
 * offset of an example's record, which holds both its inputs and its dz. Lists have even length and two entries are
 * processed per iteration: enough instructions to hide the mispredicted branch at the end of a list.
 */
@inline function walk<T, X>(target: usize, from: usize, entry: usize, end: usize, input: usize, gradient: usize): void {
  const table: usize = load<u32>(PIXEL_VALUES);
  let x = f32x4.splat(1);
  let a0 = v128.load(from), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0;
  let a6 = a0, a7 = a0, a8 = a0, a9 = a0, a10 = a0, a11 = a0;
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
  for (; entry < end; entry += 8) {
    {
      const offset: usize = load<u32>(entry);
      const dz = gradient + offset;
      if (sizeof<X>() == 1) x = v128.load_splat<u32>(table + (<usize>load<u8>(input + offset) << 2));
      else if (sizeof<X>() == 4) x = v128.load_splat<u32>(input + offset);
      a0 = madd(x, v128.load(dz), a0);
      if (offsetof<T>() > 1) a1 = madd(x, v128.load(dz, 16), a1);
      if (offsetof<T>() > 2) a2 = madd(x, v128.load(dz, 32), a2);
      if (offsetof<T>() > 3) a3 = madd(x, v128.load(dz, 48), a3);
      if (offsetof<T>() > 4) a4 = madd(x, v128.load(dz, 64), a4);
      if (offsetof<T>() > 5) a5 = madd(x, v128.load(dz, 80), a5);
      if (offsetof<T>() > 6) a6 = madd(x, v128.load(dz, 96), a6);
      if (offsetof<T>() > 7) a7 = madd(x, v128.load(dz, 112), a7);
      if (offsetof<T>() > 8) a8 = madd(x, v128.load(dz, 128), a8);
      if (offsetof<T>() > 9) a9 = madd(x, v128.load(dz, 144), a9);
      if (offsetof<T>() > 10) a10 = madd(x, v128.load(dz, 160), a10);
      if (offsetof<T>() > 11) a11 = madd(x, v128.load(dz, 176), a11);
    }
    {
      const offset: usize = load<u32>(entry, 4);
      const dz = gradient + offset;
      if (sizeof<X>() == 1) x = v128.load_splat<u32>(table + (<usize>load<u8>(input + offset) << 2));
      else if (sizeof<X>() == 4) x = v128.load_splat<u32>(input + offset);
      a0 = madd(x, v128.load(dz), a0);
      if (offsetof<T>() > 1) a1 = madd(x, v128.load(dz, 16), a1);
      if (offsetof<T>() > 2) a2 = madd(x, v128.load(dz, 32), a2);
      if (offsetof<T>() > 3) a3 = madd(x, v128.load(dz, 48), a3);
      if (offsetof<T>() > 4) a4 = madd(x, v128.load(dz, 64), a4);
      if (offsetof<T>() > 5) a5 = madd(x, v128.load(dz, 80), a5);
      if (offsetof<T>() > 6) a6 = madd(x, v128.load(dz, 96), a6);
      if (offsetof<T>() > 7) a7 = madd(x, v128.load(dz, 112), a7);
      if (offsetof<T>() > 8) a8 = madd(x, v128.load(dz, 128), a8);
      if (offsetof<T>() > 9) a9 = madd(x, v128.load(dz, 144), a9);
      if (offsetof<T>() > 10) a10 = madd(x, v128.load(dz, 160), a10);
      if (offsetof<T>() > 11) a11 = madd(x, v128.load(dz, 176), a11);
    }
  }
  v128.store(target, a0);
  if (offsetof<T>() > 1) v128.store(target, a1, 16);
  if (offsetof<T>() > 2) v128.store(target, a2, 32);
  if (offsetof<T>() > 3) v128.store(target, a3, 48);
  if (offsetof<T>() > 4) v128.store(target, a4, 64);
  if (offsetof<T>() > 5) v128.store(target, a5, 80);
  if (offsetof<T>() > 6) v128.store(target, a6, 96);
  if (offsetof<T>() > 7) v128.store(target, a7, 112);
  if (offsetof<T>() > 8) v128.store(target, a8, 128);
  if (offsetof<T>() > 9) v128.store(target, a9, 144);
  if (offsetof<T>() > 10) v128.store(target, a10, 160);
  if (offsetof<T>() > 11) v128.store(target, a11, 176);
}

/**
 * Sums `count` rows of one panel from `target` on; list k is at lists + k · listBytes and has lengths[k] entries.
 * `input` is the offset of the first row's value within a record; the values of further rows follow it directly.
 */
function walkAll<T, X>(
  target: usize, count: i32, lists: usize, listBytes: usize, lengths: usize, input: usize, gradient: usize,
): void {
  const records: usize = load<u32>(RECORDS);
  gradient += records;
  input += records;
  for (let k = 0; k < count; k++) {
    walk<T, X>(target, target, lists, lists + (<usize>load<u32>(lengths) << 2), input, gradient);
    target += offsetof<T>() << 4;
    lists += listBytes;
    lengths += 4;
    input += sizeof<X>();
  }
}

export function walkColumns<X>(
  vectors: i32, target: usize, count: i32, lists: usize, listBytes: usize, lengths: usize, input: usize, gradient: usize,
): void {
  switch (vectors) {
    case 1: walkAll<V1, X>(target, count, lists, listBytes, lengths, input, gradient); break;
    case 2: walkAll<V2, X>(target, count, lists, listBytes, lengths, input, gradient); break;
    case 3: walkAll<V3, X>(target, count, lists, listBytes, lengths, input, gradient); break;
    case 4: walkAll<V4, X>(target, count, lists, listBytes, lengths, input, gradient); break;
    case 5: walkAll<V5, X>(target, count, lists, listBytes, lengths, input, gradient); break;
    case 6: walkAll<V6, X>(target, count, lists, listBytes, lengths, input, gradient); break;
    case 7: walkAll<V7, X>(target, count, lists, listBytes, lengths, input, gradient); break;
    case 8: walkAll<V8, X>(target, count, lists, listBytes, lengths, input, gradient); break;
    case 9: walkAll<V9, X>(target, count, lists, listBytes, lengths, input, gradient); break;
    case 10: walkAll<V10, X>(target, count, lists, listBytes, lengths, input, gradient); break;
    case 11: walkAll<V11, X>(target, count, lists, listBytes, lengths, input, gradient); break;
    default: walkAll<V12, X>(target, count, lists, listBytes, lengths, input, gradient);
  }
}
