/**
 * Conversion between the packed vector (K1, c1, …, W1 row-major, b1, W2, …) and the kernel's order.
 * In the kernel's order, the units of a layer are divided into panels of at most `panelVectors` float32×4. A panel
 * has a row per input and one for the biases. The units are padded with zeros to a multiple of eight.
 */
import type { Parameters } from '../network/layers.ts';
import { type LayerLayout, vectorCount } from './layers-layout.ts';

/** The same as in assembly/vectors.ts. */
function panelStart(vectors: number, panels: number, p: number): number {
  return 2 * Math.floor(((vectors >> 1) * p) / panels);
}

/** Calls `visit` with the start (relative to the layer) and the stride of each unit's weights, counted in float32. */
function eachUnit(
  { inputs, outputs, units }: LayerLayout,
  panelVectors: number,
  visit: (unit: number, start: number, stride: number) => void,
): void {
  const vectors = vectorCount(outputs);
  const panels = Math.ceil(vectors / panelVectors);
  let unit = 0;
  for (let p = 0; p < panels; p++) {
    const first = panelStart(vectors, panels, p);
    const width = panelStart(vectors, panels, p + 1) - first;
    for (let k = 0; k < width * 4 && unit < units; k++) {
      visit(unit++, first * (inputs + 1) * 4 + k, width * 4);
    }
  }
}

/**
 * packed ← the kernel's numbers, `shift` bytes after the weights, with +0 for −0: a product that underflows may be −0,
 * which further products with zero change if pixels are processed in pairs.
 */
export function pack(
  packed: Parameters,
  numbers: Float32Array,
  layers: readonly LayerLayout[],
  shift: number,
  panelVectors: number,
): void {
  let at = 0;
  for (const layer of layers) {
    const base = (layer.weights + shift) / 4;
    const { inputs, units, rows } = layer;
    const count = rows?.length ?? inputs;
    const biases = at + count * units;
    eachUnit(layer, panelVectors, (unit, start, stride) => {
      const from = base + start;
      for (let j = 0; j < count; j++) packed[at++] = numbers[from + (rows?.[j] ?? j) * stride]! + 0;
      packed[biases + unit] = numbers[from + inputs * stride]! + 0;
    });
    at = biases + units;
  }
}

/** The kernel's numbers ← packed, rounded to float32, with +0 for −0: to add 0 · x then changes no bit of a number. */
export function unpackInto(
  numbers: Float32Array,
  packed: Parameters,
  layers: readonly LayerLayout[],
  shift: number,
  panelVectors: number,
): void {
  let at = 0;
  for (const layer of layers) {
    const base = (layer.weights + shift) / 4;
    const { inputs, units, rows } = layer;
    const count = rows?.length ?? inputs;
    const biases = at + count * units;
    eachUnit(layer, panelVectors, (unit, start, stride) => {
      const to = base + start;
      for (let j = 0; j < count; j++)
        numbers[to + (rows?.[j] ?? j) * stride] = Math.fround(packed[at++]!) + 0;
      numbers[to + inputs * stride] = Math.fround(packed[biases + unit]!) + 0;
    });
    at = biases + units;
  }
}
