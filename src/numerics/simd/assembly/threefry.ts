/** Threefry-2x32-20 for four counters at once; random.ts has the definition and the source. */

let word0: v128 = i32x4.splat(0);
let word1: v128 = i32x4.splat(0);

@inline function rotate(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(x, bits), i32x4.shr_u(x, 32 - bits));
}

/** Word 0 of the last `threefry`, lane by lane. */
@inline export function firstWords(): v128 { return word0; }

/** Word 1 of the last `threefry`. */
@inline export function secondWords(): v128 { return word1; }

@inline export function threefry(key0: i32, key1: i32, counter0: v128, counter1: v128): void {
  let k0 = i32x4.splat(key0);
  let k1 = i32x4.splat(key1);
  let k2 = i32x4.splat(key0 ^ key1 ^ 0x1bd11bda);
  let x0 = i32x4.add(counter0, k0);
  let x1 = i32x4.add(counter1, k1);
  for (let group = 1; group <= 5; group += 2) {
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 13), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 15), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 26), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 6), x0);
    x0 = i32x4.add(x0, k1);
    x1 = i32x4.add(i32x4.add(x1, k2), i32x4.splat(group));
    if (group == 5) break;
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 17), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 29), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 16), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 24), x0);
    x0 = i32x4.add(x0, k2);
    x1 = i32x4.add(i32x4.add(x1, k0), i32x4.splat(group + 1));
    const k = k0;
    k0 = k2;
    k2 = k1;
    k1 = k;
  }
  word0 = x0;
  word1 = x1;
}
