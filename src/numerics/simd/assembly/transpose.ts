/** Updates the transposed copy of a layer's weights for the backward pass. */
import { INPUTS, OUTPUTS, TRANSPOSED, WEIGHTS } from './addresses.ts';
import { transposeKernel } from './convolution/gradients.ts';
import { firstDense, layerAt, vectorCount } from './layer.ts';
import { panelStart, panelCount } from './vectors.ts';

/** Transposes rows first … last − 1 of the weights of layer l (without the biases), if it passes a gradient back. */
export function transpose(l: i32, first: i32, last: i32): void {
  const layer = layerAt(l);
  if (!load<u32>(layer, TRANSPOSED)) return;
  if (l < firstDense()) transposeKernel(layer, first, last);
  else transposeDense(layer, first, last);
}

/** Rows are inputs j; `first` is a multiple of four. */
function transposeDense(layer: usize, first: i32, last: i32): void {
  const inputs = load<i32>(layer, INPUTS);
  const units = load<i32>(layer, OUTPUTS);
  const weights: usize = load<u32>(layer, WEIGHTS);
  const vectors = vectorCount(units);
  const panels = panelCount(vectors);
  const columns = vectorCount(inputs);
  const columnPanels = panelCount(columns);
  let q = 0;
  for (let j = first; j < last; j += 4) {
    while (panelStart(columns, columnPanels, q + 1) <= j >> 2) q++;
    const qStart = panelStart(columns, columnPanels, q);
    const qWidth = <usize>(panelStart(columns, columnPanels, q + 1) - qStart) << 4;
    let to = <usize>load<u32>(layer, TRANSPOSED) + <usize>qStart * (<usize>units << 4) + (<usize>((j >> 2) - qStart) << 4);
    const rows = last - j;
    let left = units;
    for (let p = 0; p < panels; p++) {
      const start = panelStart(vectors, panels, p);
      const width = <usize>(panelStart(vectors, panels, p + 1) - start) << 4;
      const from = weights + <usize>start * (<usize>(inputs + 1) << 4) + <usize>j * width;
      for (let v: usize = 0; v < width && left > 0; v += 16, left -= 4) {
        const zero = f32x4.splat(0);
        const r0 = v128.load(from + v);
        const r1 = rows > 1 ? v128.load(from + v + width) : zero;
        const r2 = rows > 2 ? v128.load(from + v + width * 2) : zero;
        const r3 = rows > 3 ? v128.load(from + v + width * 3) : zero;
        const low01 = v128.shuffle<u32>(r0, r1, 0, 4, 1, 5);
        const high01 = v128.shuffle<u32>(r0, r1, 2, 6, 3, 7);
        const low23 = v128.shuffle<u32>(r2, r3, 0, 4, 1, 5);
        const high23 = v128.shuffle<u32>(r2, r3, 2, 6, 3, 7);
        v128.store(to, v128.shuffle<u64>(low01, low23, 0, 2)); to += qWidth;
        if (left > 1) { v128.store(to, v128.shuffle<u64>(low01, low23, 1, 3)); to += qWidth; }
        if (left > 2) { v128.store(to, v128.shuffle<u64>(high01, high23, 0, 2)); to += qWidth; }
        if (left > 3) { v128.store(to, v128.shuffle<u64>(high01, high23, 1, 3)); to += qWidth; }
      }
    }
  }
}
