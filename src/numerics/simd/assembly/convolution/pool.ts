/** 2×2 max pooling of sums that have not been activated, and the way back of its gradient. */
import { silu } from '../activate.ts';

/**
 * What the maximum is taken of. All activations but silu never decrease, so the largest sum has the largest activation; then
 * only what is pooled needs to be activated. T is u8 for them, u16 for silu.
 */
@inline function key<T>(z: v128): v128 {
  return sizeof<T>() == 1 ? z : silu(z);
}

/** Four outputs; returns 0 … 3 in each lane for the first largest of the four positions at `a`. */
@inline function poolVector<T>(a: usize, step: usize, rowStep: usize, out: usize): v128 {
  const z0 = v128.load(a), z1 = v128.load(a + step), z2 = v128.load(a + rowStep), z3 = v128.load(a + rowStep + step);
  const k0 = key<T>(z0), k1 = key<T>(z1), k2 = key<T>(z2);
  const most = f32x4.max(f32x4.max(k0, k1), f32x4.max(k2, key<T>(z3)));
  // Each mask is −1 where the first largest is later.
  const not0 = f32x4.ne(k0, most);
  const not1 = v128.and(not0, f32x4.ne(k1, most));
  const not2 = v128.and(not1, f32x4.ne(k2, most));
  if (sizeof<T>() == 1) v128.store(out, most);
  else v128.store(out, v128.bitselect(v128.bitselect(v128.bitselect(z3, z2, not2), z1, not1), z0, not0));
  return i32x4.neg(i32x4.add(i32x4.add(not0, not1), not2));
}

function poolAs<T>(
  sums: usize, step: usize, rowStep: usize, out: usize, outRowStep: usize, height: i32, width: i32, codes: usize,
): void {
  for (let y = 0; y < height; y++, sums += rowStep << 1, out += outRowStep) {
    for (let x = 0, at = sums, to = out; x < width; x++, at += step) {
      for (const end = at + step; at < end; at += 64, to += 64, codes += 16) {
        const a = poolVector<T>(at, step, rowStep, to), b = poolVector<T>(at + 16, step, rowStep, to + 16);
        const c = poolVector<T>(at + 32, step, rowStep, to + 32), d = poolVector<T>(at + 48, step, rowStep, to + 48);
        v128.store(codes, i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)));
      }
    }
  }
}

/**
 * out ← the sum with the largest activation of each four positions, 16 channels at a time, and a byte for which it is.
 * `height` and `width` are of the output.
 */
export function pool(
  isSilu: bool, sums: usize, step: usize, rowStep: usize, out: usize, outRowStep: usize, height: i32, width: i32, codes: usize,
): void {
  if (isSilu) poolAs<u16>(sums, step, rowStep, out, outRowStep, height, width, codes);
  else poolAs<u8>(sums, step, rowStep, out, outRowStep, height, width, codes);
}

@inline function spread(gradient: usize, codes: v128, to: usize, step: usize, rowStep: usize): void {
  const g = v128.load(gradient);
  v128.store(to, v128.and(g, i32x4.eq(codes, i32x4.splat(0))));
  v128.store(to + step, v128.and(g, i32x4.eq(codes, i32x4.splat(1))));
  v128.store(to + rowStep, v128.and(g, i32x4.eq(codes, i32x4.splat(2))));
  v128.store(to + rowStep + step, v128.and(g, i32x4.eq(codes, i32x4.splat(3))));
}

/** The gradient of the sums: each output's goes to the position that it comes from. A last odd row or column gets 0. */
export function unpool(
  gradient: usize, gradientRowStep: usize, sums: usize, step: usize, rowStep: usize, height: i32, width: i32, codes: usize,
  oddHeight: bool, oddWidth: bool,
): void {
  for (let y = 0; y < height; y++, sums += rowStep << 1, gradient += gradientRowStep) {
    let at = gradient, to = sums;
    for (let x = 0; x < width; x++, to += step) {
      for (const end = to + step; to < end; to += 64, at += 64, codes += 16) {
        const all = v128.load(codes);
        const low = i16x8.extend_low_i8x16_s(all), high = i16x8.extend_high_i8x16_s(all);
        spread(at, i32x4.extend_low_i16x8_s(low), to, step, rowStep);
        spread(at + 16, i32x4.extend_high_i16x8_s(low), to + 16, step, rowStep);
        spread(at + 32, i32x4.extend_low_i16x8_s(high), to + 32, step, rowStep);
        spread(at + 48, i32x4.extend_high_i16x8_s(high), to + 48, step, rowStep);
      }
    }
    if (!oddWidth) continue;
    memory.fill(to, 0, step);
    memory.fill(to + rowStep, 0, step);
  }
  if (oddHeight) memory.fill(sums, 0, <usize>(2 * width + i32(oddWidth)) * step);
}
