/** 2×2 max pooling, and the way back of its gradient. */

/**
 * Four outputs; returns 0 … 3 in each lane for the first largest of the four positions at `at`. T is u8, or u16 to also pool
 * what is `factors` bytes after each position, to the derivatives; u32 for the outputs alone.
 */
@inline function poolVector<T>(at: usize, step: usize, rowStep: usize, factors: usize, out: usize, derivative: usize): v128 {
  const below = at + rowStep;
  const a = v128.load(at), b = v128.load(at + step), c = v128.load(below);
  const most = f32x4.max(f32x4.max(a, b), f32x4.max(c, v128.load(below + step)));
  v128.store(out, most);
  if (sizeof<T>() > 2) return most;
  // Each mask is −1 where the first largest is later.
  const notA = f32x4.ne(a, most);
  const notB = v128.and(notA, f32x4.ne(b, most));
  const notC = v128.and(notB, f32x4.ne(c, most));
  if (sizeof<T>() > 1) {
    const lower = v128.bitselect(v128.load(below + step + factors), v128.load(below + factors), notC);
    v128.store(
      derivative, v128.bitselect(v128.bitselect(lower, v128.load(at + step + factors), notB), v128.load(at + factors), notA),
    );
  }
  return i32x4.neg(i32x4.add(i32x4.add(notA, notB), notC));
}

function poolAs<T>(
  values: usize, step: usize, rowStep: usize, factors: usize, out: usize, derivative: usize, outRowStep: usize, height: i32,
  width: i32, codes: usize,
): void {
  const toDerivative = derivative - out;
  for (let y = 0; y < height; y++, values += rowStep << 1, out += outRowStep) {
    for (let x = 0, at = values, to = out; x < width; x++, at += step) {
      for (const end = at + step; at < end; at += 64, to += 64, codes += 16) {
        const d = to + toDerivative;
        const first = poolVector<T>(at, step, rowStep, factors, to, d);
        const second = poolVector<T>(at + 16, step, rowStep, factors, to + 16, d + 16);
        const third = poolVector<T>(at + 32, step, rowStep, factors, to + 32, d + 32);
        const fourth = poolVector<T>(at + 48, step, rowStep, factors, to + 48, d + 48);
        if (sizeof<T>() > 2) continue;
        v128.store(
          codes, i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(first, second), i16x8.narrow_i32x4_s(third, fourth)),
        );
      }
    }
  }
}

/**
 * out ← the largest of each four positions, 16 channels at a time, and unless `codes` is 0 a byte for which it is. With `factors`, derivative ←
 * what is so many bytes after that position. `height` and `width` are of the output.
 */
export function pool(
  values: usize, step: usize, rowStep: usize, factors: usize, out: usize, derivative: usize, outRowStep: usize, height: i32,
  width: i32, codes: usize,
): void {
  if (!codes) poolAs<u32>(values, step, rowStep, 0, out, 0, outRowStep, height, width, 0);
  else if (factors) poolAs<u16>(values, step, rowStep, factors, out, derivative, outRowStep, height, width, codes);
  else poolAs<u8>(values, step, rowStep, 0, out, 0, outRowStep, height, width, codes);
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
