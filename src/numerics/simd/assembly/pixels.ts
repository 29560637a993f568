/**
 * Products with pixels of which hardly any are zero: the rows of W and the examples share loads in blocks of six by four vectors,
 * so no zero is skipped. Sums run over the same ascending numbers as in rows.ts and columns.ts.
 */
import { BLOCK_ROWS, PIXEL_TILE, SPARSE_PART, TILE_EXAMPLES } from '../constants.ts';
import {
  BATCH_SIZE, INPUTS, INPUT_LIST, INPUT_VALUES, ORDER, OUTPUTS, OUTPUT_VALUES, PIXEL_SCALES, RECORD_STRIDE, WEIGHTS,
} from './addresses.ts';
import { multiplyDense, sumDense } from './dense.ts';
import { layerAt, recordAt, vectorCount } from './layer.ts';
import { panelCount, panelStart } from './vectors.ts';

/** Bytes of the converted pixels of a block of rows, of one example: whole groups of twelve. */
const BLOCK_PIXEL_BYTES: usize = (BLOCK_ROWS + 4) * 4;

/** Four bytes of pixels as float32. */
@inline export function fourPixels(at: usize): v128 {
  return f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at))));
}

/** to ← the values of `count` bytes of pixels from pixel j on, in whole groups of twelve: the numbers of the tables of values. */
function convertPixels(from: usize, j: i32, count: i32, to: usize): void {
  const scales = PIXEL_SCALES + (<usize>(j % 3) << 2);
  const first = v128.load(scales), second = v128.load(scales, 16), third = v128.load(scales, 32);
  for (let end = from + <usize>count; from < end; from += 12, to += 48) {
    v128.store(to, f32x4.mul(fourPixels(from), first));
    v128.store(to, f32x4.mul(fourPixels(from + 4), second), 16);
    v128.store(to, f32x4.mul(fourPixels(from + 8), third), 32);
  }
}

/** The number of ones in `bytes` of masks. */
function countOnes(masks: usize, bytes: usize): i32 {
  let ones: u64 = 0;
  for (const end = masks + bytes; masks < end; masks += 8) ones += popcnt<u64>(load<u64>(masks));
  return <i32>ones;
}

/** Whether so few of `all` flags are not set that it takes longer to look for them. */
@inline function isFull(ones: i32, all: i32): bool { return ones >= all - all / SPARSE_PART; }

/** Whether hardly any pixel is zero in both examples of the listed pairs. */
export function arePairsFull(first: i32, last: i32): bool {
  const layer = layerAt(1);
  const inputs = load<i32>(layer, INPUTS);
  const list: usize = load<u32>(layer, INPUT_LIST);
  let ones = 0, all = 0;
  for (let n = first; n < last; n += 2, all += inputs) {
    ones += countOnes(recordAt(load<i32>(ORDER + (<usize>n << 2))) + list, <usize>((inputs + 63) >> 6) << 3);
  }
  return isFull(ones, all);
}

/**
 * The product of the first layer, for examples first … last − 1. A tile of pixels is converted, to `tile`, for all panels.
 * `folded` are the biases with the mean folded in, or 0.
 */
export function multiplyPixels(first: i32, last: i32, folded: usize, tile: usize): void {
  const layer = layerAt(1);
  const inputs = load<i32>(layer, INPUTS);
  const values: usize = load<u32>(layer, INPUT_VALUES);
  const output = recordAt(first) + <usize>load<u32>(layer, OUTPUT_VALUES);
  const weights: usize = load<u32>(layer, WEIGHTS);
  const vectors = vectorCount(load<i32>(layer, OUTPUTS));
  const panels = panelCount(vectors);
  const step: usize = PIXEL_TILE * 4;
  for (let j = 0; j < inputs; j += PIXEL_TILE) {
    const rows = min(PIXEL_TILE, inputs - j);
    for (let n = first, to = tile; n < last; n++, to += step) convertPixels(recordAt(n) + values + j, j, rows, to);
    for (let p = 0; p < panels; p++) {
      const start = panelStart(vectors, panels, p);
      const count = panelStart(vectors, panels, p + 1) - start;
      const width = <usize>count << 4;
      const shift = <usize>start << 4;
      const panel = weights + shift * <usize>(inputs + 1);
      let seeds: usize = 0;
      if (j == 0) seeds = folded ? folded + shift : panel + <usize>inputs * width;
      multiplyDense(count, last - first, rows, tile, step, panel + <usize>j * width, width, seeds, output + shift);
    }
  }
}

/** Whether hardly any pair of `rows` rows of pixels is zero in an example of the batch. */
export function areRowsFull(masks: usize, rows: i32): bool {
  const batch = load<i32>(BATCH_SIZE);
  let ones = 0;
  for (let left = batch; left > 0; left -= TILE_EXAMPLES, masks += BLOCK_ROWS * 4) ones += countOnes(masks, <usize>rows << 2);
  return isFull(2 * ones, batch * rows);
}

/** Converts `rows` rows of pixels from row `first` on, at `input` in the records, for `sumPixels`. */
export function convertRows(pixels: usize, input: usize, first: i32, rows: i32): void {
  const batch = load<i32>(BATCH_SIZE);
  for (let n = 0; n < batch; n++, pixels += BLOCK_PIXEL_BYTES) convertPixels(recordAt(n) + input, first, rows, pixels);
}

/** Adds dW of `rows` converted rows of pixels to `target`, a tile of examples after the other. */
export function sumPixels(vectors: i32, target: usize, width: usize, rows: i32, pixels: usize, gradient: usize): void {
  const batch = load<i32>(BATCH_SIZE);
  for (let n = 0; n < batch; n += TILE_EXAMPLES, pixels += TILE_EXAMPLES * BLOCK_PIXEL_BYTES) {
    const count = min(TILE_EXAMPLES, batch - n);
    sumDense(vectors, count, rows, pixels, BLOCK_PIXEL_BYTES, recordAt(n) + gradient, target, width);
  }
}
