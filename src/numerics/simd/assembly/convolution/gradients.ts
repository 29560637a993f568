/**
 * Gradients of the convolutions, summed by groups of images, and the transposed weights.
 * Each group has its own sums, in the layout of the weights. The groups are added in ascending order, so that the bits do not
 * depend on the threads.
 */
import { BATCH_SIZE, GROUP_BYTES, GROUP_DELTA, GROUP_EXAMPLES, INPUTS, OUTPUTS, TRANSPOSED, WEIGHTS } from '../addresses.ts';
import { layerAt } from '../layer.ts';

/** Bytes from a weight to its gradient of a group. */
@inline export function groupDelta(group: i32): usize {
  return <usize>load<u32>(GROUP_DELTA) + <usize>group * <usize>load<u32>(GROUP_BYTES);
}

export function clearGroup(group: i32): void {
  memory.fill(<usize>load<u32>(layerAt(1), WEIGHTS) + groupDelta(group), 0, load<u32>(GROUP_BYTES));
}

/** Adds the gradients of `bytes` of the weights at `w` to `target`. */
export function addGroups(target: usize, w: usize, bytes: usize): void {
  const size = load<i32>(GROUP_EXAMPLES);
  const groups = (load<i32>(BATCH_SIZE) + size - 1) / size;
  const step: usize = load<u32>(GROUP_BYTES);
  for (let from = w + groupDelta(0), end = from + bytes; from < end; from += 32, target += 32) {
    let a = v128.load(target), b = v128.load(target, 16);
    for (let k = 0, at = from; k < groups; k++, at += step) {
      a = f32x4.add(a, v128.load(at));
      b = f32x4.add(b, v128.load(at, 16));
    }
    v128.store(target, a);
    v128.store(target, b, 16);
  }
}

/** target_c += Σ_yx dz_yx[c], of 16 channels: row by row. */
export function addBiases(dz: usize, step: usize, rowStep: usize, height: i32, width: i32, target: usize): void {
  let a = v128.load(target), b = v128.load(target, 16), c = v128.load(target, 32), d = v128.load(target, 48);
  for (let y = 0; y < height; y++, dz += rowStep) {
    let e = f32x4.splat(0), f = e, g = e, h = e;
    for (let at = dz, end = dz + <usize>width * step; at < end; at += step) {
      e = f32x4.add(e, v128.load(at));
      f = f32x4.add(f, v128.load(at, 16));
      g = f32x4.add(g, v128.load(at, 32));
      h = f32x4.add(h, v128.load(at, 48));
    }
    a = f32x4.add(a, e);
    b = f32x4.add(b, f);
    c = f32x4.add(c, g);
    d = f32x4.add(d, h);
  }
  v128.store(target, a);
  v128.store(target, b, 16);
  v128.store(target, c, 32);
  v128.store(target, d, 48);
}

/** to ← the transposed 16 × 16 numbers at `from`, in rows of 64 bytes. */
function transposeSquare(from: usize, to: usize): void {
  for (let i: usize = 0; i < 1024; i += 256) {
    for (let j: usize = 0; j < 64; j += 16) {
      const f = from + i + j, t = to + (j << 4) + (i >> 4);
      const r0 = v128.load(f), r1 = v128.load(f, 64), r2 = v128.load(f, 128), r3 = v128.load(f, 192);
      const low01 = v128.shuffle<u32>(r0, r1, 0, 4, 1, 5), high01 = v128.shuffle<u32>(r0, r1, 2, 6, 3, 7);
      const low23 = v128.shuffle<u32>(r2, r3, 0, 4, 1, 5), high23 = v128.shuffle<u32>(r2, r3, 2, 6, 3, 7);
      v128.store(t, v128.shuffle<u64>(low01, low23, 0, 2)); v128.store(t, v128.shuffle<u64>(low01, low23, 1, 3), 64);
      v128.store(t, v128.shuffle<u64>(high01, high23, 0, 2), 128); v128.store(t, v128.shuffle<u64>(high01, high23, 1, 3), 192);
    }
  }
}

/**
 * The weights with which the gradient is convolved: [panel of outputs][tap][input][16] → [panel of inputs][8 − tap][output][16].
 * Rows first … last − 1 of K, whole vectors of 16 inputs.
 */
export function transposeKernel(layer: usize, first: i32, last: i32): void {
  const rows = load<i32>(layer, INPUTS);
  const inputs = rows / 9;
  const outputs = load<i32>(layer, OUTPUTS);
  for (let row = first; row < last; row += 16) {
    const tap = row / inputs;
    const panel = (row - tap * inputs) >> 4;
    let from = <usize>load<u32>(layer, WEIGHTS) + (<usize>row << 6);
    let to = <usize>load<u32>(layer, TRANSPOSED) + (<usize>((panel * 9 + 8 - tap) * outputs) << 6);
    for (let p = 0; p < outputs; p += 16, from += <usize>(rows + 1) << 6, to += 1024) transposeSquare(from, to);
  }
}
