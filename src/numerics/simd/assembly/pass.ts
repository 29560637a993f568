/** Forward pass of examples first … last − 1, losses, and the backward pass to every dz. */
import { PAIRED_TILE_VECTORS, TILE_ROWS, WIDE_PANEL_VECTORS } from '../constants.ts';
import {
  AUGMENTED, BACKWARD_SUMS, CHANNELS, FLOAT_PIXELS, GRADIENT_LIST, INPUTS, INPUT_GRADIENT, INPUT_LIST, INPUT_VALUES, LABELS,
  MEANS_OVER_STDS, MIXING_WEIGHT, ORDER, OUTPUTS, OUTPUT_GRADIENT, OUTPUT_VALUES, PARTNERS, PARTNER_ROWS, PARTNER_STRIDE, PIXELS,
  PIXEL_COUNT, PIXEL_SCALES, RECORDS, RECORD_STRIDE, START, TRANSPOSED, WEIGHTS, ZEROS,
} from './addresses.ts';
import { activate } from './activate.ts';
import { augment } from './augment.ts';
import { multiplyDense } from './dense.ts';
import { firstDense, halfPanel, isDense, isPaired, layerAt, layerCount, recordAt, takesBytes, vectorCount } from './layer.ts';
import { listBytes, listFloats, maskRows } from './lists.ts';
import { crossEntropy } from './loss.ts';
import { arePairsFull, multiplyPixels } from './pixels.ts';
import { walkRowPairs, walkRows } from './rows.ts';
import { madd, panelStart, panelCount } from './vectors.ts';

/** Augments the images in their records. */
export function augmentAll(first: i32, last: i32, copy: usize): void {
  const pixels: usize = load<u32>(PIXELS);
  const start = load<i32>(START);
  for (let n = first; n < last; n++) augment(recordAt(n) + pixels, copy, start + n);
}

/** x ← (w x + (256 − w) x′ + 128) / 256, rounded down: src/numerics/examples/mixup.ts */
function mixPixels(row: usize, other: usize, inputs: i32): void {
  const weight = load<i32>(MIXING_WEIGHT);
  const own = i16x8.splat(<i16>weight);
  const others = i16x8.splat(<i16>(256 - weight));
  const half = i16x8.splat(128);
  for (let end = row + <usize>inputs; row < end; row += 16, other += 16) {
    const x = v128.load(row);
    const y = v128.load(other);
    const low = i16x8.add(
      i16x8.mul(i16x8.extend_low_i8x16_u(x), own), i16x8.mul(i16x8.extend_low_i8x16_u(y), others),
    );
    const high = i16x8.add(
      i16x8.mul(i16x8.extend_high_i8x16_u(x), own), i16x8.mul(i16x8.extend_high_i8x16_u(y), others),
    );
    v128.store(
      row, i8x16.narrow_i16x8_u(i16x8.shr_u(i16x8.add(low, half), 8), i16x8.shr_u(i16x8.add(high, half), 8)),
    );
  }
}

/**
 * Mixes the augmented images in their records with the images of their partners. A thread augments the partners itself,
 * because other threads may not have got to them.
 */
export function mixAll(first: i32, last: i32, copy: usize): void {
  const inputs = load<i32>(PIXEL_COUNT);
  const pixels: usize = load<u32>(PIXELS);
  const stride: usize = load<u32>(PARTNER_STRIDE);
  const start = load<i32>(START);
  for (let n = first; n < last; n++) {
    const other = <usize>load<u32>(PARTNER_ROWS) + <usize>n * stride;
    if (load<i32>(AUGMENTED)) augment(other, copy, start + load<i32>(PARTNERS + (<usize>n << 2)));
    mixPixels(recordAt(n) + pixels, other, inputs);
  }
}

/** Scales float32 pixels to inputs, in place: twelve at a time, because each channel may have its own factor. */
function scalePixels(at: usize, inputs: i32): void {
  const first = v128.load(PIXEL_SCALES), second = v128.load(PIXEL_SCALES, 16), third = v128.load(PIXEL_SCALES, 32);
  for (let end = at + (<usize>inputs << 2); at < end; at += 48) {
    v128.store(at, f32x4.mul(v128.load(at), first));
    v128.store(at, f32x4.mul(v128.load(at, 16), second), 16);
    v128.store(at, f32x4.mul(v128.load(at, 32), third), 32);
  }
}

/**
 * ORDER ← examples first … last − 1 in the order in which pairs are taken: sorted by label, because images of one class
 * share more of their pixels. No result depends on it. `counts` is memory for a counter per class.
 */
function orderByLabel(first: i32, last: i32, counts: usize): void {
  const labels: usize = load<u32>(LABELS);
  const classes = load<i32>(layerAt(layerCount()), OUTPUTS);
  memory.fill(counts, 0, (<usize>classes + 1) << 2);
  for (let n = first; n < last; n++) {
    const at = counts + (<usize>load<u16>(labels + (<usize>n << 1)) << 2);
    store<i32>(at, load<i32>(at, 4) + 1, 4);
  }
  for (let at = counts, end = counts + (<usize>classes << 2); at < end; at += 4) {
    store<i32>(at, load<i32>(at, 4) + load<i32>(at), 4);
  }
  for (let n = first; n < last; n++) {
    const at = counts + (<usize>load<u16>(labels + (<usize>n << 1)) << 2);
    const position = load<i32>(at);
    store<i32>(at, position + 1);
    store<i32>(ORDER + (<usize>(first + position) << 2), n);
  }
}

/**
 * Lists the non-zero pixels, of pairs together; float32 pixels are first scaled to inputs, one by one. `counts` is
 * memory to sort the examples by their labels, or 0.
 */
export function listPixels(first: i32, last: i32, counts: usize): void {
  const layer = layerAt(1);
  const inputs = load<i32>(layer, INPUTS);
  const values: usize = load<u32>(layer, INPUT_VALUES);
  const list: usize = load<u32>(layer, INPUT_LIST);
  if (load<i32>(FLOAT_PIXELS)) {
    for (let n = first; n < last; n++) {
      const record = recordAt(n);
      scalePixels(record + values, inputs);
      listFloats(record + values, inputs, record + list);
    }
    return;
  }
  if (!isPaired()) {
    for (let n = first; n < last; n++) listBytes(recordAt(n) + values, inputs, recordAt(n) + list);
    return;
  }
  if (counts) orderByLabel(first, last, counts);
  else for (let n = first; n < last; n++) store<i32>(ORDER + (<usize>n << 2), n);
  for (let n = first; n < last; n += 2) {
    const record = recordAt(load<i32>(ORDER + (<usize>n << 2)));
    const other = recordAt(load<i32>(ORDER + (<usize>min(n + 1, last - 1) << 2)));
    maskRows(record + values, other + values, inputs, record + list);
  }
}

/**
 * With standardized pixels, z1 = Σ_j W_ij x_j / (255 σ) + (b_i − Σ_c μ_c/σ_c Σ_j∈c W_ij): zero pixels stay zero, and σ is in
 * the tables of pixel values. `seeds` ← the term in brackets, panel by panel; `sums` is memory for those of a panel.
 */
export function foldMean(seeds: usize, sums: usize): void {
  const layer = layerAt(1);
  const inputs = load<i32>(layer, INPUTS);
  const vectors = vectorCount(load<i32>(layer, OUTPUTS));
  const panels = panelCount(vectors);
  const channels: usize = load<i32>(CHANNELS);
  for (let p = 0; p < panels; p++) {
    const start = panelStart(vectors, panels, p);
    const width = <usize>(panelStart(vectors, panels, p + 1) - start) << 4;
    const panel = <usize>load<u32>(layer, WEIGHTS) + <usize>start * ((<usize>inputs + 1) << 4);
    const bias = panel + <usize>inputs * width;
    const out = seeds + (<usize>start << 4);
    for (let c: usize = 0; c < channels; c++) {
      const shift = f32x4.splat(-load<f32>(MEANS_OVER_STDS + (c << 2)));
      for (let v: usize = 0; v < width; v += 16) v128.store(sums + v, f32x4.splat(0));
      for (let row = panel + c * width; row < bias; row += channels * width) {
        for (let v: usize = 0; v < width; v += 16) {
          v128.store(sums + v, f32x4.add(v128.load(sums + v), v128.load(row + v)));
        }
      }
      const from = c == 0 ? bias : out;
      for (let v: usize = 0; v < width; v += 16) {
        v128.store(out + v, madd(shift, v128.load(sums + v), v128.load(from + v)));
      }
    }
  }
}

/** Computes `vectors` vectors of a panel whose rows have `width` bytes. */
function multiplyPart(
  vectors: i32, first: i32, last: i32, rows: i32, input: usize, list: usize, out: usize, seeds: usize, panel: usize,
  width: usize, pixels: bool,
): void {
  if (pixels && isPaired()) {
    const words = (rows + 63) >> 6;
    const passes = (words * vectors + PAIRED_TILE_VECTORS - 1) / PAIRED_TILE_VECTORS;
    for (let pass = 0; pass < passes; pass++) {
      const word = words * pass / passes;
      const end = words * (pass + 1) / passes;
      if (load<i32>(CHANNELS) == 1) walkRowPairs<u8>(vectors, first, last, input, list, word, end, out, seeds, panel, width);
      else walkRowPairs<u16>(vectors, first, last, input, list, word, end, out, seeds, panel, width);
      seeds = 0;
    }
    return;
  }
  const tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
  // Fewer vectors leave room for more rows in the cache.
  const step = WIDE_PANEL_VECTORS / vectors;
  for (let tile = 0; tile < tiles; tile += step) {
    const end = min(tile + step, tiles);
    if (!pixels) walkRows<f32>(vectors, first, last, input, list, tile, end, out, seeds, panel, width);
    else if (load<i32>(CHANNELS) == 1) walkRows<u8>(vectors, first, last, input, list, tile, end, out, seeds, panel, width);
    else walkRows<u16>(vectors, first, last, input, list, tile, end, out, seeds, panel, width);
    seeds = 0;
  }
}

/**
 * out[n] = seed + Σ over the listed inputs, for all panels of a matrix of `rows` rows. In the forward pass the matrix
 * is W with its biases as an extra row: the seed, unless `folded` replaces it; in the backward pass it is the
 * transposed W, and the seed is zero. Without a list (0), all inputs are processed.
 */
function multiply(
  first: i32, last: i32, matrix: usize, rows: i32, extra: i32, units: i32, input: usize, list: usize, output: usize,
  pixels: bool, folded: usize,
): void {
  const vectors = vectorCount(units);
  const panels = panelCount(vectors);
  for (let p = 0; p < panels; p++) {
    const start = panelStart(vectors, panels, p);
    const count = panelStart(vectors, panels, p + 1) - start;
    const width = <usize>count << 4;
    const panel = matrix + <usize>start * (<usize>(rows + extra) << 4);
    const out = output + (<usize>start << 4);
    let seeds: usize = ZEROS;
    if (folded) seeds = folded + (<usize>start << 4);
    else if (extra) seeds = panel + <usize>rows * width;
    if (!list) {
      const record = recordAt(first);
      multiplyDense(count, last - first, rows, record + input, load<u32>(RECORD_STRIDE), panel, width, seeds, record + out);
      continue;
    }
    const half = pixels ? halfPanel(count) : 0;
    const shift = <usize>half << 4;
    if (half) multiplyPart(half, first, last, rows, input, list, out, seeds, panel, width, pixels);
    multiplyPart(
      count - half, first, last, rows, input, list, out + shift, seeds + shift, panel + shift, width, pixels,
    );
  }
}

/**
 * Computes the logits from the listed pixels, with dropout if `training`. `folded` are the folded biases, or 0; `tile` is memory
 * for a tile of pixels.
 */
export function forward(first: i32, last: i32, training: bool, folded: usize, tile: usize): void {
  const layers = layerCount();
  const start = load<i32>(START);
  for (let l = firstDense(); l <= layers; l++) {
    const layer = layerAt(l);
    const inputs = load<i32>(layer, INPUTS);
    const units = load<i32>(layer, OUTPUTS);
    const pixels = takesBytes(l);
    const weights: usize = load<u32>(layer, WEIGHTS);
    const input: usize = load<u32>(layer, INPUT_VALUES);
    const output: usize = load<u32>(layer, OUTPUT_VALUES);
    const list: usize = isDense(l) ? 0 : load<u32>(layer, INPUT_LIST);
    if (pixels && isPaired() && arePairsFull(first, last)) multiplyPixels(first, last, folded, tile);
    else multiply(first, last, weights, inputs, 1, units, input, list, output, pixels, l == 1 ? folded : 0);
    if (l == layers) return;
    const next = layerAt(l + 1);
    const values: usize = load<u32>(next, INPUT_VALUES);
    const nextList: usize = isDense(l + 1) ? 0 : load<u32>(next, INPUT_LIST);
    for (let n = first; n < last; n++) {
      const record = recordAt(n);
      activate(l, record, training ? start + n : -1);
      if (nextList) listFloats(record + values, units, record + nextList);
    }
  }
}

/** Computes losses, correct predictions and dz_L from the logits. */
export function computeLosses(first: i32, last: i32): void {
  const layer = layerAt(layerCount());
  const classes = load<i32>(layer, OUTPUTS);
  const z: usize = load<u32>(layer, OUTPUT_VALUES);
  const dz: usize = load<u32>(layer, OUTPUT_GRADIENT);
  for (let n = first; n < last; n++) {
    const record = recordAt(n);
    crossEntropy(n, record + z, record + dz, classes);
  }
}

/**
 * dz_{l−1} = (W_lᵀ dz_l) ⊙ act'(z_{l−1}), from dz_L down to the layer of pixels, or to the output of the convolutions; act' is
 * stored where dz_{l−1} is written.
 */
export function backward(first: i32, last: i32): void {
  for (let l = layerCount(); l >= firstDense(); l--) {
    const layer = layerAt(l);
    if (!load<u32>(layer, TRANSPOSED)) return;
    const inputs = load<i32>(layer, INPUTS);
    const units = load<i32>(layer, OUTPUTS);
    const dz: usize = load<u32>(layer, OUTPUT_GRADIENT);
    const list: usize = load<u32>(layer, GRADIENT_LIST);
    const sums: usize = load<u32>(layer, BACKWARD_SUMS);
    const below: usize = load<u32>(layer, INPUT_GRADIENT);
    const bytes = <usize>vectorCount(inputs) << 4;
    if (list) {
      for (let n = first; n < last; n++) {
        const record = recordAt(n);
        listFloats(record + dz, units, record + list);
      }
    }
    multiply(first, last, load<u32>(layer, TRANSPOSED), units, 0, inputs, dz, list, sums, false, 0);
    for (let n = first; n < last; n++) {
      const from = recordAt(n) + sums;
      const to = recordAt(n) + below;
      for (let v: usize = 0; v < bytes; v += 32) {
        v128.store(to + v, f32x4.mul(v128.load(to + v), v128.load(from + v)));
        v128.store(to + v, f32x4.mul(v128.load(to + v, 16), v128.load(from + v, 16)), 16);
      }
    }
  }
}
