/** Threefry-2x32-20 for eight counters at once; random.ts has the definition and the source. */

@inline function rotate(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(x, bits), i32x4.shr_u(x, 32 - bits));
}

/**
 * Writes words 0 of counters counter0 … counter0 + 7 to `words`, and then their words 1, 64 bytes in all. V8 joins the
 * vectors x and y, because their results are stored next to each other.
 */
export function threefry(key0: i32, key1: i32, counter0: i32, counter1: i32, words: usize): void {
  const key2 = key0 ^ key1 ^ 0x1bd11bda;
  let k0 = i32x4.splat(key0), k1 = i32x4.splat(key1), k2 = i32x4.splat(key2);
  const first = i32x4.splat(counter0 + key0);
  let x0 = i32x4.add(first, i32x4(0, 1, 2, 3)), y0 = i32x4.add(first, i32x4(4, 5, 6, 7));
  let x1 = i32x4.splat(counter1 + key1), y1 = x1;
  for (let group = 1; group <= 5; group += 2) {
    x0 = i32x4.add(x0, x1); y0 = i32x4.add(y0, y1); x1 = v128.xor(rotate(x1, 13), x0); y1 = v128.xor(rotate(y1, 13), y0);
    x0 = i32x4.add(x0, x1); y0 = i32x4.add(y0, y1); x1 = v128.xor(rotate(x1, 15), x0); y1 = v128.xor(rotate(y1, 15), y0);
    x0 = i32x4.add(x0, x1); y0 = i32x4.add(y0, y1); x1 = v128.xor(rotate(x1, 26), x0); y1 = v128.xor(rotate(y1, 26), y0);
    x0 = i32x4.add(x0, x1); y0 = i32x4.add(y0, y1); x1 = v128.xor(rotate(x1, 6), x0); y1 = v128.xor(rotate(y1, 6), y0);
    let add = i32x4.add(k2, i32x4.splat(group));
    x0 = i32x4.add(x0, k1); y0 = i32x4.add(y0, k1); x1 = i32x4.add(x1, add); y1 = i32x4.add(y1, add);
    if (group == 5) break;
    x0 = i32x4.add(x0, x1); y0 = i32x4.add(y0, y1); x1 = v128.xor(rotate(x1, 17), x0); y1 = v128.xor(rotate(y1, 17), y0);
    x0 = i32x4.add(x0, x1); y0 = i32x4.add(y0, y1); x1 = v128.xor(rotate(x1, 29), x0); y1 = v128.xor(rotate(y1, 29), y0);
    x0 = i32x4.add(x0, x1); y0 = i32x4.add(y0, y1); x1 = v128.xor(rotate(x1, 16), x0); y1 = v128.xor(rotate(y1, 16), y0);
    x0 = i32x4.add(x0, x1); y0 = i32x4.add(y0, y1); x1 = v128.xor(rotate(x1, 24), x0); y1 = v128.xor(rotate(y1, 24), y0);
    add = i32x4.add(k0, i32x4.splat(group + 1));
    x0 = i32x4.add(x0, k2); y0 = i32x4.add(y0, k2); x1 = i32x4.add(x1, add); y1 = i32x4.add(y1, add);
    const k = k0;
    k0 = k2;
    k2 = k1;
    k1 = k;
  }
  v128.store(words, x0); v128.store(words, y0, 16);
  v128.store(words, x1, 32); v128.store(words, y1, 48);
}
