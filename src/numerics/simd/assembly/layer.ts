/** One layer's entry in the table of layers, and one example's record. */
import { DENSE_VECTORS, MAX_PAIRED_VECTORS, NARROW_PANEL_VECTORS } from '../constants.ts';
import {
  CONVOLUTION_COUNT, FIRST_DENSE, FLOAT_PIXELS, LAYERS, LAYER_BYTES, LAYER_COUNT, OUTPUTS, PANEL_VECTORS, RECORDS,
  RECORD_STRIDE,
} from './addresses.ts';

/** Entry of layer l = 1 … L. */
@inline export function layerAt(l: i32): usize { return LAYERS + <usize>(l - 1) * LAYER_BYTES; }

@inline export function layerCount(): i32 { return load<i32>(LAYER_COUNT); }

/** The record of example n. */
@inline export function recordAt(n: i32): usize {
  return <usize>load<u32>(RECORDS) + <usize>n * <usize>load<u32>(RECORD_STRIDE);
}

/** Number of the first fully connected layer. */
@inline export function firstDense(): i32 { return load<i32>(FIRST_DENSE); }

@inline export function hasConvolutions(): bool { return load<i32>(CONVOLUTION_COUNT) != 0; }

/** Number of float32×4 vectors for `units`, even; the last ones are padded with units whose weights are zero. */
@inline export function vectorCount(units: i32): i32 { return ((units + 7) >> 3) << 1; }

/** Whether layer l is processed without lists of its non-zero inputs. */
export function isDense(l: i32): bool {
  return hasConvolutions() || (l > 1 && vectorCount(load<i32>(layerAt(l), OUTPUTS)) <= DENSE_VECTORS);
}

/** Whether the inputs of layer l are bytes of pixels. */
export function takesBytes(l: i32): bool {
  return l == 1 && !hasConvolutions() && load<i32>(FLOAT_PIXELS) == 0;
}

/** Whether the first layer processes pixels in pairs. */
@inline export function isPaired(): bool { return load<i32>(PANEL_VECTORS) > NARROW_PANEL_VECTORS; }

/** Vectors of the first half of a panel of pixels whose pairs of sums do not fit the registers; else 0. */
@inline export function halfPanel(vectors: i32): i32 { return vectors > MAX_PAIRED_VECTORS ? (vectors >> 2) << 1 : 0; }
