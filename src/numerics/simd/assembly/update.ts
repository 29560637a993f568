/**
 * The update of the weights, by blocks of rows of W.
 * One thread sums the gradient of a block over the examples, ascending, and takes the step at once. If all gradients
 * must be computed first (for clipping or the reported norm), they are buffered instead.
 */
import { BLOCK_ROWS, MODE_BUFFERED, MODE_DIRECT, MODE_FUSED, TILE_EXAMPLES, WIDE_PANEL_VECTORS } from '../constants.ts';
import {
  BATCH_LIST, BATCH_LIST_LENGTH, BATCH_SIZE, CHANNELS, GRADIENT_DELTA, INPUTS, INPUT_VALUES, KEEP_WEIGHTS, L1, L2, MASK_BYTES,
  MEANS_OVER_STDS, MODE, OUTPUTS, OUTPUT_GRADIENT, PARTIALS, RECORD_STRIDE, STANDARDIZED, WEIGHTS,
} from './addresses.ts';
import { pixelTable, walkColumnPairs, walkColumns } from './columns.ts';
import { addGroups } from './convolution/gradients.ts';
import { sumDense } from './dense.ts';
import { firstDense, halfPanel, isDense, isPaired, layerAt, recordAt, takesBytes, vectorCount } from './layer.ts';
import { LIST_BYTES, listExamples, maskBytes, maskFloats, maskPairs } from './lists.ts';
import { average, optimize, penalize, shrink } from './optimize.ts';
import { areRowsFull, convertRows, sumPixels } from './pixels.ts';
import { transpose } from './transpose.ts';
import { madd, panelStart, panelCount } from './vectors.ts';

/** Bytes of the lists of one tile of examples. */
const TILE_LIST_BYTES: usize = BLOCK_ROWS * LIST_BYTES + BLOCK_ROWS * 4;
/** Largest number of bytes in a row of a panel. */
const PANEL_BYTES: usize = 16 * WIDE_PANEL_VECTORS;
/** Bytes at the start of a thread's scratch memory for the gradient of a panel of a block, and its biases. */
const GRADIENT_BYTES: usize = (BLOCK_ROWS + 1) * PANEL_BYTES;

export function blockCount(l: i32): i32 {
  return load<i32>(layerAt(l), INPUTS) / BLOCK_ROWS + 1;
}

/** Adds dW of rows of a part of a panel to `target`. */
function sumRows(
  vectors: i32, target: usize, width: usize, rows: i32, lists: usize, input: usize, gradient: usize, pixels: bool,
  table: usize,
): void {
  // The lists of all tiles of examples follow each other.
  for (let left = load<i32>(BATCH_SIZE); left > 0; left -= TILE_EXAMPLES, lists += TILE_LIST_BYTES) {
    const lengths = lists + BLOCK_ROWS * LIST_BYTES;
    if (pixels) walkColumns<u8>(vectors, target, width, rows, lists, LIST_BYTES, lengths, input, gradient, table);
    else walkColumns<f32>(vectors, target, width, rows, lists, LIST_BYTES, lengths, input, gradient, 0);
  }
}

/** Adds dW of pairs of rows of pixels. They have masks instead of lists. */
function sumPairs(
  vectors: i32, target: usize, width: usize, rows: i32, masks: usize, input: usize, gradient: usize, table: usize,
): void {
  const tileBytes = TILE_EXAMPLES * <usize>load<u32>(RECORD_STRIDE);
  for (let left = load<i32>(BATCH_SIZE); left > 0; left -= TILE_EXAMPLES) {
    walkColumnPairs(vectors, target, width, rows >> 1, masks, input, gradient, table);
    masks += BLOCK_ROWS * 4;
    input += tileBytes;
    gradient += tileBytes;
  }
}

/** Adds db of one panel to `target`. */
function sumBiases(vectors: i32, target: usize, gradient: usize): void {
  walkColumns<f64>(vectors, target, 0, 1, load<u32>(BATCH_LIST), 0, BATCH_LIST_LENGTH, 0, gradient, 0);
}

/**
 * Subtracts the second term of dW1_ij = (Σ_n dz_ni x_nj / 255 − μ Σ_n dz_ni) / σ, inputs j from `first` on, in one panel;
 * `sums` is Σ_n dz_n.
 */
function subtractMean(target: usize, first: i32, rows: i32, width: usize, sums: usize): void {
  const channels = load<i32>(CHANNELS);
  for (let j = first; j < first + rows; j++, target += width) {
    const shift = f32x4.splat(-load<f32>(MEANS_OVER_STDS + (<usize>(j % channels) << 2)));
    for (let v: usize = 0; v < width; v += 16) {
      v128.store(target + v, madd(shift, v128.load(sums + v), v128.load(target + v)));
    }
  }
}

/**
 * `sum` plus the squares of the first `bytes` of a panel with rows of `width` bytes: one column of vectors after the
 * other, so that the result does not depend on the panels' widths.
 */
function addSquares(sum: f64, g: usize, bytes: usize, width: usize): f64 {
  for (const end = g + width; g < end; g += 16) {
    let low = f64x2.splat(0), high = low;
    for (let at = g, last = g + bytes; at < last; at += width) {
      const each = v128.load(at);
      const a = f64x2.promote_low_f32x4(each);
      const b = f64x2.promote_low_f32x4(v128.shuffle<u32>(each, each, 2, 3, 0, 1));
      low = f64x2.add(low, f64x2.mul(a, a));
      high = f64x2.add(high, f64x2.mul(b, b));
    }
    const both = f64x2.add(low, high);
    sum += f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  }
  return sum;
}

/** Sums the gradient of one block of layer l and, unless buffered, takes the step. `item` counts over all layers. */
export function updateBlock(l: i32, block: i32, item: i32, scratch: usize): void {
  const layer = layerAt(l);
  const mode = load<i32>(MODE);
  const inputs = load<i32>(layer, INPUTS);
  const first = block * BLOCK_ROWS;
  const rows = min(BLOCK_ROWS, inputs - first);
  const withBiases = first + BLOCK_ROWS > inputs;
  const pixels = takesBytes(l);
  const input = <usize>load<u32>(layer, INPUT_VALUES) + (<usize>first << (pixels ? 0 : 2));
  const gradient: usize = load<u32>(layer, OUTPUT_GRADIENT);
  const vectors = vectorCount(load<i32>(layer, OUTPUTS));
  const panels = panelCount(vectors);
  const meanSums = scratch + GRADIENT_BYTES;
  const masks = meanSums + PANEL_BYTES;
  const lists = masks + <usize>load<u32>(MASK_BYTES);
  const paired = pixels && isPaired() && (rows & 1) == 0;
  const folded = l == 1 && load<i32>(STANDARDIZED) != 0;
  const penalized = load<f32>(L1) != 0 || load<f32>(L2) != 0;
  const convolution = l < firstDense();
  const dense = isDense(l);
  const table = pixels ? pixelTable(first) : 0;
  let full = false;
  if (rows > 0 && !dense) {
    if (paired) {
      maskPairs(masks, input);
      full = areRowsFull(masks, rows);
      if (full) convertRows(lists, input, first, rows);
    } else {
      if (pixels) maskBytes(masks, input);
      else maskFloats(masks, input);
      listExamples(lists, masks, rows);
    }
  }
  let sum: f64 = 0;
  for (let p = 0; p < panels; p++) {
    const start = panelStart(vectors, panels, p);
    const count = panelStart(vectors, panels, p + 1) - start;
    const width = <usize>count << 4;
    const w = <usize>load<u32>(layer, WEIGHTS) + <usize>start * (<usize>(inputs + 1) << 4) + <usize>first * width;
    const bytes = <usize>rows * width;
    const all = bytes + (withBiases ? width : 0);
    const dz = gradient + (<usize>start << 4);
    let g = w;
    if (mode == MODE_DIRECT) {
      const keep = load<f32>(KEEP_WEIGHTS);
      if (keep != 1) shrink(w, bytes, keep);
    } else {
      g = mode == MODE_FUSED ? scratch : w + <usize>load<u32>(GRADIENT_DELTA);
      memory.fill(g, 0, all);
    }
    if (convolution) {
      addGroups(g, w, all);
    } else if (dense) {
      sumDense(count, load<i32>(BATCH_SIZE), rows, recordAt(0) + input, load<u32>(RECORD_STRIDE), recordAt(0) + dz, g, width);
    } else if (full) {
      sumPixels(count, g, width, rows, lists, dz);
    } else {
      const half = pixels ? halfPanel(count) : 0;
      const shift = <usize>half << 4;
      if (paired) {
        if (half) sumPairs(half, g, width, rows, masks, input, dz, table);
        sumPairs(count - half, g + shift, width, rows, masks, input, dz + shift, table);
      } else {
        if (half) sumRows(half, g, width, rows, lists, input, dz, pixels, table);
        sumRows(count - half, g + shift, width, rows, lists, input, dz + shift, pixels, table);
      }
    }
    if (folded) {
      memory.fill(meanSums, 0, width);
      sumBiases(count, meanSums, dz);
      subtractMean(g, first, rows, width, meanSums);
    }
    if (withBiases && !convolution) sumBiases(count, g + bytes, dz);
    if (mode != MODE_DIRECT && penalized) penalize(w, g, bytes);
    if (mode >= MODE_BUFFERED) {
      sum = addSquares(sum, g, all, width);
      continue;
    }
    if (mode == MODE_FUSED) {
      optimize(w, g, bytes, 1, false);
      if (withBiases) optimize(w + bytes, g + bytes, width, 1, true);
    }
    average(w, all);
  }
  if (mode >= MODE_BUFFERED) store<f64>(<usize>load<u32>(PARTIALS) + (<usize>item << 3), sum);
  else transpose(l, first, first + rows);
}

/** Takes the step of one block whose gradient is buffered. */
export function applyBlock(l: i32, block: i32, scale: f32): void {
  const layer = layerAt(l);
  const inputs = load<i32>(layer, INPUTS);
  const first = block * BLOCK_ROWS;
  const rows = min(BLOCK_ROWS, inputs - first);
  const withBiases = first + BLOCK_ROWS > inputs;
  const vectors = vectorCount(load<i32>(layer, OUTPUTS));
  const panels = panelCount(vectors);
  for (let p = 0; p < panels; p++) {
    const start = panelStart(vectors, panels, p);
    const width = <usize>(panelStart(vectors, panels, p + 1) - start) << 4;
    const w = <usize>load<u32>(layer, WEIGHTS) + <usize>start * (<usize>(inputs + 1) << 4) + <usize>first * width;
    const bytes = <usize>rows * width;
    const g = w + <usize>load<u32>(GRADIENT_DELTA);
    optimize(w, g, bytes, scale, false);
    if (withBiases) optimize(w + bytes, g + bytes, width, scale, true);
    average(w, bytes + (withBiases ? width : 0));
  }
  transpose(l, first, first + rows);
}
