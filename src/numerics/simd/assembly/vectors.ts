/** Vectors: multiply-adds, the accumulators of a loop, and the panels of a layer. */
import { PANEL_VECTORS } from './addresses.ts';

/**
 * Types that encode the number of pairs of float32×4 accumulators of a loop. `pairs` reads it.
 * AssemblyScript has no constant parameters, but the size of a class is a constant at compile time. One generic loop
 * therefore compiles to twelve, each with its sums in registers. V8 may join the vectors of a pair to 256 bits.
 */
@unmanaged export class P1 { p1: u8; }
@unmanaged export class P2 extends P1 { p2: u8; }
@unmanaged export class P3 extends P2 { p3: u8; }
@unmanaged export class P4 extends P3 { p4: u8; }
@unmanaged export class P5 extends P4 { p5: u8; }
@unmanaged export class P6 extends P5 { p6: u8; }
@unmanaged export class P7 extends P6 { p7: u8; }
@unmanaged export class P8 extends P7 { p8: u8; }
@unmanaged export class P9 extends P8 { p9: u8; }
@unmanaged export class P10 extends P9 { p10: u8; }
@unmanaged export class P11 extends P10 { p11: u8; }
@unmanaged export class P12 extends P11 { p12: u8; }

/** Number of pairs of accumulators that T encodes, a constant at compile time: 7 for P7. */
@inline export function pairs<T>(): i32 { return <i32>offsetof<T>(); }

/** a·b + c, fused if the processor supports it. All sums of products use it, so that all are rounded alike. */
@inline export function madd(a: v128, b: v128, c: v128): v128 {
  return v128.relaxed_madd<f32>(a, b, c);
}

/** Number of panels in a layer of `vectors` vectors. */
@inline export function panelCount(vectors: i32): i32 {
  const most = load<i32>(PANEL_VECTORS);
  return (vectors + most - 1) / most;
}

/** First vector of panel p. Panels have even numbers of vectors and are as equal as that allows. */
@inline export function panelStart(vectors: i32, panels: i32, p: i32): i32 {
  return (((vectors >> 1) * p) / panels) << 1;
}
