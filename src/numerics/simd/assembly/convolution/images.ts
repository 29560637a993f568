/** Forward and backward pass of images through the convolutions of a network. */
import { RELU, SIGMOID, SILU } from '../../constants.ts';
import {
  ACTIVATION, CHANNELS_OUT, CODES, CONVOLUTIONS, CONVOLUTION_BYTES, CONVOLUTION_COUNT, DERIVATIVE, FIRST_DENSE,
  FLOAT_PIXELS, GRADIENT, GROUP_EXAMPLES, HEIGHT, INPUTS, INPUT_GRADIENT, INPUT_STEP, INPUT_VALUES, INPUT_VOLUME, KEPT, KEPT_STRIDE,
  KERNEL, MEANS_OVER_STDS, NORM, NORM_STATISTICS, NORM_VOLUME, OUTPUT_STEP, OUTPUT_VOLUME, OUTPUT_VOLUME_GRADIENT, PIXELS,
  PIXEL_SCALES, POOLED, RECORDS, RECORD_STRIDE, SUMS, TRANSPOSED, WEIGHTS, WIDTH, ZEROS,
} from '../addresses.ts';
import { activateVector, rectify } from '../activate.ts';
import { layerAt } from '../layer.ts';
import { fourPixels } from '../pixels.ts';
import { addBiases, clearGroup, groupDelta } from './gradients.ts';
import { normalize, normalizeBackward } from './normalize.ts';
import { pool, unpool } from './pool.ts';
import { multiplyPanel, sumGradient } from './products.ts';

@inline function convolutionAt(c: i32): usize { return CONVOLUTIONS + <usize>c * CONVOLUTION_BYTES; }

/** Bytes of a row of a volume, border included. */
@inline function rowBytes(width: i32, step: usize): usize { return <usize>(width + 2) * step; }

/** Writes the standardized pixels into the first volume. Whole numbers give the same bits as bytes and as float32. */
function loadPixels(record: usize, volume: usize): void {
  const first = convolutionAt(0);
  const step: usize = load<u32>(first, INPUT_STEP);
  const width = load<i32>(first, WIDTH);
  const floats = load<i32>(FLOAT_PIXELS);
  const count = <usize>width * step >> 2;
  let row = volume + rowBytes(width, step) + step;
  let from = record + <usize>load<u32>(PIXELS);
  // Factors repeat after three numbers.
  let factors: usize = 0;
  for (let y = load<i32>(first, HEIGHT); y > 0; y--, row += rowBytes(width, step)) {
    for (let i: usize = 0, turn = factors << 2; i < count; i += 4, turn = turn < 32 ? turn + 16 : turn - 32) {
      const numbers = floats ? v128.load(from + (i << 2)) : fourPixels(from + i);
      const x = f32x4.sub(f32x4.mul(numbers, v128.load(PIXEL_SCALES + turn)), v128.load(MEANS_OVER_STDS + turn));
      const to = row + (i << 2);
      if (i + 4 <= count) {
        v128.store(to, x);
        continue;
      }
      // The border stays zero.
      v128.store32_lane(to, x, 0);
      if (i + 1 < count) v128.store32_lane(to, x, 1, 4);
      if (i + 2 < count) v128.store32_lane(to, x, 2, 8);
    }
    from += floats ? count << 2 : count;
    factors = (factors + count) % 3;
  }
}

/** Replaces the sums z of a volume by a, and writes act' unless `derivative` is 0. The channels that pad a volume stay 0. */
function activateVolume(
  at: usize, derivative: usize, step: usize, rowStep: usize, height: i32, width: i32, channels: usize,
): void {
  const kind = load<i32>(ACTIVATION);
  const toDerivative = derivative - at;
  const pads = kind == SIGMOID && channels << 2 < step;
  for (let y = 0; y < height; y++, at += rowStep) {
    const end = at + <usize>width * step;
    if (derivative) for (let v = at; v < end; v += 16) activateVector(kind, v, v + toDerivative);
    else for (let v = at; v < end; v += 16) v128.store(v, rectify(v128.load(v)));
    if (pads) for (let p = at; p < end; p += step) memory.fill(p + (channels << 2), 0, step - (channels << 2));
  }
}

function forwardImage(n: i32, volumes: usize): void {
  const record = <usize>load<u32>(RECORDS) + <usize>n * <usize>load<u32>(RECORD_STRIDE);
  const kept = <usize>load<u32>(KEPT) + <usize>n * <usize>load<u32>(KEPT_STRIDE);
  const dense = layerAt(load<i32>(FIRST_DENSE));
  const count = load<i32>(CONVOLUTION_COUNT);
  loadPixels(record, kept + <usize>load<u32>(convolutionAt(0), INPUT_VOLUME));
  for (let c = 0; c < count; c++) {
    const at = convolutionAt(c);
    const layer = layerAt(load<i32>(at, KERNEL));
    const rows = load<i32>(layer, INPUTS);
    const height = load<i32>(at, HEIGHT), width = load<i32>(at, WIDTH);
    const step: usize = load<u32>(at, OUTPUT_STEP), rowStep = rowBytes(width, step);
    const inputStep: usize = load<u32>(at, INPUT_STEP);
    const input = kept + <usize>load<u32>(at, INPUT_VOLUME);
    const pooled = load<i32>(at, POOLED), norm = load<i32>(at, NORM);
    const channels: usize = load<u32>(at, CHANNELS_OUT);
    const inside = rowStep + step;
    const ready = inside + (pooled ? volumes + <usize>load<u32>(at, SUMS) : kept + <usize>load<u32>(at, OUTPUT_VOLUME));
    const sums = norm ? kept + <usize>load<u32>(at, NORM_VOLUME) + inside : ready;
    let w: usize = load<u32>(layer, WEIGHTS);
    for (let panel: usize = 0; panel < step; panel += 64) {
      const biases = w + (<usize>rows << 6);
      multiplyPanel(
        input, inputStep, rowBytes(width, inputStep), 3, rows / 3, w, 64, biases, 0, sums + panel, step, rowStep, height, width, 0,
      );
      w = biases + 64;
    }
    if (norm) {
      normalize(
        sums, ready, step, rowStep, height, width, load<u32>(layerAt(norm), WEIGHTS), load<u32>(layerAt(norm + 1), WEIGHTS),
        kept + <usize>load<u32>(at, NORM_STATISTICS),
      );
    }
    // The act' of ReLU follows from the activation.
    const slopes = load<i32>(ACTIVATION) == RELU ? 0 : kept + <usize>load<u32>(at, DERIVATIVE);
    if (!pooled) {
      activateVolume(ready, slopes ? slopes + inside : 0, step, rowStep, height, width, channels);
      continue;
    }
    // The record has the last output, without a border.
    const last = c + 1 == count;
    const nextHeight = height >> 1, nextWidth = width >> 1;
    const nextRow = last ? <usize>nextWidth * step : rowBytes(nextWidth, step);
    const nextInside = last ? 0 : nextRow + step;
    const out = last ? record + <usize>load<u32>(dense, INPUT_VALUES) : kept + <usize>load<u32>(at, OUTPUT_VOLUME) + nextInside;
    const codes = load<u32>(KEPT_STRIDE) ? kept + <usize>load<u32>(at, CODES) : 0;
    // Without a backward pass, ReLU needs no act' at all.
    const derivative = last && (slopes || codes)
      ? record + <usize>load<u32>(dense, INPUT_GRADIENT) : slopes ? slopes + nextInside : 0;
    // All activations but silu never decrease: the largest sum has the largest activation, and only it needs to be activated.
    let factors: usize = 0;
    if (load<i32>(ACTIVATION) == SILU) {
      const all = volumes + <usize>load<u32>(at, GRADIENT) + inside;
      activateVolume(ready, all, step, rowStep, height, width, channels);
      if (codes) factors = all - ready;
    }
    pool(
      ready, step, rowStep, factors, out, derivative, nextRow, nextHeight, nextWidth, codes,
    );
    if (load<i32>(ACTIVATION) != SILU) activateVolume(out, derivative, step, nextRow, nextHeight, nextWidth, channels);
  }
}

/** Adds the gradients of image n to those of its group, `delta` bytes after the weights. */
function backwardImage(n: i32, volumes: usize, delta: usize): void {
  const record = <usize>load<u32>(RECORDS) + <usize>n * <usize>load<u32>(RECORD_STRIDE);
  const kept = <usize>load<u32>(KEPT) + <usize>n * <usize>load<u32>(KEPT_STRIDE);
  let gradient = record + <usize>load<u32>(layerAt(load<i32>(FIRST_DENSE)), INPUT_GRADIENT);
  let gradientRow: usize = 0;
  for (let c = load<i32>(CONVOLUTION_COUNT) - 1; c >= 0; c--) {
    const at = convolutionAt(c);
    const layer = layerAt(load<i32>(at, KERNEL));
    const rows = load<i32>(layer, INPUTS), run = rows / 3;
    const height = load<i32>(at, HEIGHT), width = load<i32>(at, WIDTH);
    const step: usize = load<u32>(at, OUTPUT_STEP), rowStep = rowBytes(width, step);
    const inputStep: usize = load<u32>(at, INPUT_STEP), inputRow = rowBytes(width, inputStep);
    const input = kept + <usize>load<u32>(at, INPUT_VOLUME);
    const inside = rowStep + step;
    const volume = volumes + <usize>load<u32>(at, GRADIENT);
    const dz = volume + inside;
    const norm = load<i32>(at, NORM);
    if (load<i32>(at, POOLED)) {
      const row = gradientRow ? gradientRow : <usize>(width >> 1) * step;
      const codes = kept + <usize>load<u32>(at, CODES);
      unpool(gradient, row, dz, step, rowStep, height >> 1, width >> 1, codes, (height & 1) != 0, (width & 1) != 0);
    }
    if (norm) {
      const gamma: usize = load<u32>(layerAt(norm), WEIGHTS), beta: usize = load<u32>(layerAt(norm + 1), WEIGHTS);
      normalizeBackward(
        kept + <usize>load<u32>(at, NORM_VOLUME) + inside, dz, step, rowStep, height, width, gamma,
        kept + <usize>load<u32>(at, NORM_STATISTICS), gamma + delta, beta + delta,
      );
    }
    let target = <usize>load<u32>(layer, WEIGHTS) + delta;
    for (let panel: usize = 0; panel < step; panel += 64, target += 64) {
      for (let r: usize = 0; r < 3; r++, target += <usize>run << 6) {
        sumGradient(run, input + r * inputRow, inputStep, inputRow, dz + panel, step, rowStep, height, width, target, 64);
      }
      addBiases(dz + panel, step, rowStep, height, width, target);
    }
    if (c == 0) return;
    const below = convolutionAt(c - 1);
    const to = volumes + <usize>load<u32>(below, OUTPUT_VOLUME_GRADIENT);
    const slopes: usize = load<i32>(ACTIVATION) == RELU ? load<u32>(below, OUTPUT_VOLUME) : load<u32>(below, DERIVATIVE);
    const factors = kept + slopes - to;
    let transposed: usize = load<u32>(layer, TRANSPOSED);
    gradient = to + inputRow + inputStep;
    gradientRow = inputRow;
    for (let panel: usize = 0; panel < inputStep; panel += 64, transposed += 9 * (step << 4)) {
      multiplyPanel(
        volume, step, rowStep, 3, <i32>(3 * step) >> 2, transposed, 64, ZEROS, 0, gradient + panel, inputStep, inputRow, height, width,
        factors,
      );
    }
  }
}

/** Computes the inputs of the first fully connected layer of images first … last − 1. */
export function forwardImages(first: i32, last: i32, volumes: usize): void {
  for (let n = first; n < last; n++) forwardImage(n, volumes);
}

/** Sums the gradients of images first … last − 1, which are whole groups, from the gradient of the last outputs. */
export function backwardImages(first: i32, last: i32, volumes: usize): void {
  const size = load<i32>(GROUP_EXAMPLES);
  for (let n = first; n < last; n++) {
    const group = n / size;
    if (n == group * size) clearGroup(group);
    backwardImage(n, volumes, groupDelta(group));
  }
}
