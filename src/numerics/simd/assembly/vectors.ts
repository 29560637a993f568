/**
 * Types that encode the number of float32×4 accumulators of a loop. AssemblyScript has no constant parameters, but knows
 * the size of a class at compile time, so one loop compiles to twelve, each with its sums in registers.
 */
@unmanaged export class V1 { v1: u8; }
@unmanaged export class V2 extends V1 { v2: u8; }
@unmanaged export class V3 extends V2 { v3: u8; }
@unmanaged export class V4 extends V3 { v4: u8; }
@unmanaged export class V5 extends V4 { v5: u8; }
@unmanaged export class V6 extends V5 { v6: u8; }
@unmanaged export class V7 extends V6 { v7: u8; }
@unmanaged export class V8 extends V7 { v8: u8; }
@unmanaged export class V9 extends V8 { v9: u8; }
@unmanaged export class V10 extends V9 { v10: u8; }
@unmanaged export class V11 extends V10 { v11: u8; }
@unmanaged export class V12 extends V11 { v12: u8; }

/** a·b + c, fused if the processor supports it; every sum of the kernel uses it, tails included. */
@inline export function madd(a: v128, b: v128, c: v128): v128 {
  return v128.relaxed_madd<f32>(a, b, c);
}

/** Number of panels of at most `most` vectors (an even number) in a layer of `vectors`. */
@inline export function panelCount(vectors: i32, most: i32): i32 {
  return (vectors + most - 1) / most;
}

/**
 * First vector of panel p. Panels are as equal as whole pairs of vectors allow, so that a compiler that joins vectors to
 * pairs of 256 bits can do so.
 */
@inline export function panelStart(vectors: i32, panels: i32, p: i32): i32 {
  return p == panels ? vectors : ((((vectors + 1) >> 1) * p) / panels) << 1;
}
