/**
 * Types that encode the number of float32×4 accumulators of a loop.
 * AssemblyScript has no constant parameters, but the size of a class is a constant at compile time. One generic loop
 * therefore compiles to twelve, each with its sums in registers.
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

/** a·b + c, fused if the processor supports it. All sums of products use it, so that all are rounded alike. */
@inline export function madd(a: v128, b: v128, c: v128): v128 {
  return v128.relaxed_madd<f32>(a, b, c);
}

/** Number of panels of at most `most` vectors (an even number) in a layer of `vectors` vectors. */
@inline export function panelCount(vectors: i32, most: i32): i32 {
  return (vectors + most - 1) / most;
}

/**
 * First vector of panel p. Panels start at even vectors and are as equal as that allows, so that a compiler can join
 * pairs of vectors to 256 bits.
 */
@inline export function panelStart(vectors: i32, panels: i32, p: i32): i32 {
  return p == panels ? vectors : ((((vectors + 1) >> 1) * p) / panels) << 1;
}
