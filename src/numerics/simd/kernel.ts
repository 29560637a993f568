/** The compiled kernel in a memory of its own, with the header every kind of job shares. */

import type { Activation, Standardization } from '../network.ts';
import * as A from './addresses.ts';
import type { CopyRows } from './copy-rows.ts';
import type { Layout } from './layout.ts';

/** assembly/index.ts */
export interface KernelExports {
  prepare(): void;
  transposeAll(): void;
  multiplyAdd(a: number, b: number, c: number): number;
  step(): void;
  serve(rank: number): void;
  quit(): void;
  fold(): void;
  predict(count: number): void;
  evaluate(): void;
}

export interface Kernel {
  readonly exports: KernelExports;
  readonly memory: WebAssembly.Memory;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly floats: Float32Array;
  readonly doubles: Float64Array;
}

export function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  copyRows: CopyRows,
): KernelExports {
  const instance = new WebAssembly.Instance(module, { env: { memory, copyRows } });
  return instance.exports as unknown as KernelExports;
}

/** Whether a·b + c is rounded once on this processor: results differ in their last bits between the two kinds. */
export function isFused(exports: KernelExports): boolean {
  const nearOne = 1 + 2 ** -12;
  return exports.multiplyAdd(nearOne, nearOne, -(1 + 2 ** -11)) === 2 ** -24;
}

const ACTIVATION_CODES: Record<Activation, number> = {
  relu: A.RELU,
  'leaky-relu': A.LEAKY_RELU,
  tanh: A.TANH,
  sigmoid: A.SIGMOID,
  identity: A.IDENTITY,
};

export interface KernelJob {
  readonly layout: Layout;
  readonly records: number;
  readonly threads: number;
  readonly floatPixels: boolean;
  readonly activation: Activation;
  readonly standardization: Standardization | null;
  /** Zeros are skipped unless this is set; the results are the same. */
  readonly dense: boolean;
  /** Called at the start of a step. */
  readonly copyRows: CopyRows;
}

export function createKernel(module: WebAssembly.Module, job: KernelJob): Kernel {
  const { layout, standardization } = job;
  const memory = new WebAssembly.Memory({ shared: true, initial: layout.pages, maximum: layout.pages });
  const words = new Int32Array(memory.buffer);
  const floats = new Float32Array(memory.buffer);
  const { mean, std } = standardization ?? { mean: 0, std: 1 };
  words[A.CLAIM / 4] = A.CLOSED;
  words[A.THREADS / 4] = job.threads;
  words[A.LAYER_COUNT / 4] = layout.layers.length;
  words[A.RECORDS / 4] = layout.records;
  words[A.RECORD_STRIDE / 4] = layout.recordStride;
  words[A.ALL_ROWS / 4] = layout.allRows;
  words[A.ZERO_RECORD / 4] = job.records * layout.recordStride;
  words[A.PACK16 / 4] = layout.pack16;
  words[A.PACK32 / 4] = layout.pack32;
  words[A.PIXEL_VALUES / 4] = layout.pixelValues;
  words[A.SCRATCH / 4] = layout.scratch;
  words[A.SCRATCH_STRIDE / 4] = layout.scratchStride;
  words[A.MASKS_SIZE / 4] = layout.masksBytes;
  words[A.LABELS / 4] = layout.labels;
  words[A.LOSSES / 4] = layout.losses;
  words[A.HITS / 4] = layout.correct;
  words[A.PARTIALS / 4] = layout.partials;
  words[A.GRADIENT_DELTA / 4] = layout.weightsBytes;
  words[A.STATE1_DELTA / 4] = 2 * layout.weightsBytes;
  words[A.STATE2_DELTA / 4] = 3 * layout.weightsBytes;
  words[A.ACTIVATION / 4] = ACTIVATION_CODES[job.activation];
  words[A.DENSE / 4] = job.dense ? 0xffff : 0;
  words[A.STANDARDIZED / 4] = standardization === null ? 0 : 1;
  words[A.FLOAT_PIXELS / 4] = job.floatPixels ? 1 : 0;
  floats[A.MEAN_OVER_STD / 4] = mean / std;
  layout.layers.forEach((layer, l) => {
    const entry = (A.LAYERS + l * A.LAYER_BYTES) / 4;
    words[entry + A.INPUTS / 4] = layer.inputs;
    words[entry + A.OUTPUTS / 4] = layer.outputs;
    words[entry + A.WEIGHTS / 4] = layer.weights;
    words[entry + A.TRANSPOSED / 4] = layer.transposed;
    words[entry + A.INPUT_VALUES / 4] = layer.inputValues;
    words[entry + A.INPUT_LIST / 4] = layer.inputList;
    words[entry + A.OUTPUT_VALUES / 4] = layer.outputValues;
    words[entry + A.OUTPUT_GRADIENT / 4] = layer.outputGradient;
    words[entry + A.GRADIENT_LIST / 4] = layer.gradientList;
    words[entry + A.BACK_SUMS / 4] = layer.backSums;
  });
  const scale = pixelScale(standardization);
  floats[A.PIXEL_SCALE / 4] = scale;
  for (let x = 0; x < 256; x++) floats[layout.pixelValues / 4 + x] = x * scale;
  const exports = instantiate(module, memory, job.copyRows);
  exports.prepare();
  return {
    exports,
    memory,
    words,
    floats,
    bytes: new Uint8Array(memory.buffer),
    doubles: new Float64Array(memory.buffer),
  };
}

/** 1 / (255 σ) as a float32: a pixel's value is the float32 product with it, whether its pixel came as uint8 or float32. */
function pixelScale(standardization: Standardization | null): number {
  return Math.fround(1 / (255 * (standardization?.std ?? 1)));
}
