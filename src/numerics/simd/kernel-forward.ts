/** Predictions and evaluation in float32, with the forward pass of the kernel. */

import { ACTIVATION_FUNCTIONS, type Activation } from '../network/activations.ts';
import { type Architecture, hiddenUnits } from '../network/architecture.ts';
import { valueCount } from '../network/image-shape.ts';
import { checkLength, type Parameters, type Standardization } from '../network/layers.ts';
import { argmax } from '../reference/cross-entropy.ts';
import type { BatchSums, Examples, Findings, Pixels } from '../training/engine.ts';
import { CHUNK_EXAMPLES, CHUNK_IMAGES, MAX_BATCH } from './constants.ts';
import { type CopyRows, copyWords, createCopyRows } from './copy-rows.ts';
import { HEADER } from './header.ts';
import { createKernel, panelVectors } from './kernel.ts';
import type { KernelOptions } from './kernel-engine.ts';
import type { ConvolutionLayout } from './layers-layout.ts';
import { type Layout, layOut, PAGE_BYTES } from './layout.ts';
import { unpackInto } from './packing.ts';

export interface KernelForward {
  /**
   * Writes logits and probabilities, n × classes each, row-major, of `pixels`, n × d0, 0–255. Whole numbers give the same
   * bits as uint8 and as float32, and an image gives the same bits alone and in a batch.
   * @param hidden n × units, row-major: receives the inputs of the last layer, the activations of the last hidden one
   * @throws RangeError when the lengths do not fit one n.
   */
  forward(logits: Float32Array, probabilities: Float32Array, pixels: Pixels, hidden?: Float32Array): void;
  /** Adds to `sums` the loss and the correct predictions of the examples of the given indices. */
  evaluate(sums: BatchSums, examples: Examples, indices: Uint32Array): void;
  /** Adds the findings of the examples of the given indices to `findings`. */
  inspect(findings: Findings, examples: Examples, indices: Uint32Array): void;
  /** Replaces the parameters. @throws RangeError when they do not fit the layer sizes. */
  load(packed: Parameters): void;
}

/** Images that pass through the network together. */
function chunkSize({ convolutions }: Architecture): number {
  return convolutions.length === 0 ? CHUNK_EXAMPLES : CHUNK_IMAGES;
}

function forwardLayout(architecture: Architecture): Layout {
  return layOut({ architecture, records: chunkSize(architecture), threads: 1, training: null });
}

/** Bytes of memory that `createKernelForward` allocates. */
export function forwardBytes(architecture: Architecture): number {
  return forwardLayout(architecture).pages * PAGE_BYTES;
}

/**
 * Copies the parameters, rounded to float32.
 * @throws RangeError when they do not fit the layer sizes.
 */
export function createKernelForward(
  module: WebAssembly.Module,
  architecture: Architecture,
  activation: Activation,
  packed: Parameters,
  standardization: Standardization | null,
  { wide = false, afterCall = () => {} }: Pick<KernelOptions, 'wide' | 'afterCall'> = {},
): KernelForward {
  const inputs = valueCount(architecture.inputShape);
  const { classes } = architecture;
  const units = hiddenUnits(architecture);
  const chunk = chunkSize(architecture);
  const layout = forwardLayout(architecture);
  const { records, recordStride, layers, convolutions, firstDense } = layout;
  const kernel = createKernel(module, {
    layout,
    records: chunk,
    threads: 1,
    activation,
    standardization,
    dense: false,
    wide,
    copyRows: () => {},
    afterCall,
  });
  const { exports, header, floats, bytes } = kernel;
  const words = new BigInt64Array(kernel.memory.buffer);
  const indexWords = new Uint32Array(kernel.memory.buffer, HEADER.addresses.INDICES, MAX_BATCH);
  const labels = new Uint16Array(kernel.memory.buffer, layout.labels, chunk);
  const last = layers.at(-1)!;
  let currentPixels: Uint8Array | null = null;
  let copyRows: CopyRows = () => {};
  load(packed);

  function load(next: Parameters): void {
    checkLength(next, architecture);
    unpackInto(floats, next, layers, 0, panelVectors(layout, wide));
    exports.fold();
  }

  function copyIn(pixels: Pixels, start: number, count: number): void {
    if (count > 1 && inputs % 8 === 0 && pixels instanceof Uint8Array && pixels.byteOffset % 8 === 0) {
      const from = new BigInt64Array(
        pixels.buffer,
        pixels.byteOffset + start * inputs,
        (count * inputs) >> 3,
      );
      const length = inputs >> 3;
      for (let n = 0; n < count; n++)
        copyWords(words, (records + n * recordStride) >> 3, from, n * length, length);
      return;
    }
    for (let n = 0; n < count; n++) {
      const from = (start + n) * inputs;
      const to = records + n * recordStride;
      if (pixels instanceof Uint8Array) {
        bytes.set(pixels.length === inputs ? pixels : pixels.subarray(from, from + inputs), to);
      } else {
        floats.set(pixels.subarray(from, from + inputs), to / 4);
      }
    }
  }

  function copyOut(to: Float32Array, start: number, count: number, offset: number): void {
    for (let n = 0; n < count; n++) {
      const from = (records + n * recordStride + offset) / 4;
      for (let k = 0; k < classes; k++) to[(start + n) * classes + k] = floats[from + k]!;
    }
  }

  function copyHidden(to: Float32Array, start: number, count: number): void {
    const { rows } = last;
    for (let n = 0; n < count; n++) {
      const from = (records + n * recordStride + last.inputValues) / 4;
      const at = (start + n) * units;
      for (let k = 0; k < units; k++) to[at + k] = floats[from + (rows === null ? k : rows[k]!)]!;
    }
  }

  /** @param visit called after each chunk; the next one overwrites its values and results */
  function evaluateChunks(
    examples: Examples,
    indices: Uint32Array,
    size: number,
    visit: (count: number) => void,
  ): void {
    if (examples.pixels !== currentPixels) {
      currentPixels = examples.pixels;
      copyRows = createCopyRows(
        kernel.memory,
        { inputs, records, recordStride, partnerRows: 0, partnerStride: 0 },
        currentPixels,
      );
    }
    header.FLOAT_PIXELS = 0;
    for (let start = 0; start < indices.length; start += size) {
      const count = Math.min(size, indices.length - start);
      for (let n = 0; n < count; n++) {
        indexWords[n] = indices[start + n]!;
        labels[n] = examples.labels[indices[start + n]!]!;
      }
      copyRows(0, count);
      header.BATCH_SIZE = count;
      exports.evaluate();
      visit(count);
    }
  }

  /** Marks the channels that have a value above 0. Where a channel can be dead, its value has the sign of its sum. */
  function markChannels(channels: Uint8Array, convolution: ConvolutionLayout): void {
    const { height, width, outputStep, isPooled, sums, outputVolume } = convolution;
    const step = outputStep / 4;
    const row = (width + 2) * step;
    const inside = (isPooled ? layout.volumes + sums : layout.kept + outputVolume) / 4 + row + step;
    for (let k = 0; k < channels.length; k++) {
      for (let y = 0; y < height && channels[k] === 0; y++) {
        const start = inside + y * row + k;
        for (let x = 0; x < width; x++) if (floats[start + x * step]! > 0) channels[k] = 1;
      }
    }
  }

  return {
    load,
    forward(logits, probabilities, pixels, hidden) {
      const rows = pixels.length / inputs;
      for (const output of [logits, probabilities]) {
        if (output.length !== rows * classes) {
          throw new RangeError(
            `${pixels.length} pixels, ${inputs} per image, need an output of ${classes} numbers per image, but it has ${output.length} in total.`,
          );
        }
      }
      header.FLOAT_PIXELS = pixels instanceof Uint8Array ? 0 : 1;
      for (let start = 0; start < rows; start += chunk) {
        const count = Math.min(chunk, rows - start);
        copyIn(pixels, start, count);
        exports.predict(count);
        copyOut(logits, start, count, last.outputValues);
        copyOut(probabilities, start, count, last.outputGradient);
        if (hidden !== undefined) copyHidden(hidden, start, count);
      }
    },
    evaluate(sums, examples, indices) {
      evaluateChunks(examples, indices, chunk, () => {
        sums.loss += header.LOSS_SUM;
        sums.correct += header.CORRECT_SUM;
      });
    },
    inspect({ alive, predicted }, examples, indices) {
      if (!ACTIVATION_FUNCTIONS[activation].canDie) for (const units of alive) units.fill(1);
      // The volumes are of the last image.
      const size = convolutions.length === 0 ? chunk : 1;
      evaluateChunks(examples, indices, size, (count) => {
        for (const [c, convolution] of convolutions.entries()) markChannels(alive[c]!, convolution);
        for (let n = 0; n < count; n++) {
          const record = (records + n * recordStride) / 4;
          for (const [l, units] of alive.slice(convolutions.length).entries()) {
            const from = record + layers[firstDense - 1 + l]!.outputValues / 4;
            for (let k = 0; k < units.length; k++) if (floats[from + k] !== 0) units[k] = 1;
          }
          const logits = record + last.outputValues / 4;
          predicted.add(argmax(floats.subarray(logits, logits + classes)));
        }
      });
    },
  };
}
