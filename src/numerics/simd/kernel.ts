/** A kernel instance with its memory, and the header fields common to all uses. */
import { ACTIVATION_FUNCTIONS, type Activation } from '../network/activations.ts';
import {
  type ChannelStandardization,
  channelStandardizations,
  type Standardization,
} from '../network/layers.ts';
import * as C from './constants.ts';
import type { CopyRows } from './copy-rows.ts';
import { CONVOLUTION, createView, HEADER, LAYER, type View } from './header.ts';
import type { Layout } from './layout.ts';

/** The exports of assembly/index.ts. */
export interface KernelExports {
  prepare(): void;
  transposeAll(): void;
  multiplyAdd(a: number, b: number, c: number): number;
  step(): void;
  runThread(rank: number): void;
  shutdown(): void;
  fold(): void;
  predict(count: number): void;
  evaluate(): void;
}

export interface Kernel {
  readonly exports: KernelExports;
  readonly memory: WebAssembly.Memory;
  readonly header: View<typeof HEADER.fields>;
  readonly bytes: Uint8Array;
  readonly floats: Float32Array;
}

export function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  copyRows: CopyRows,
): KernelExports {
  const instance = new WebAssembly.Instance(module, { env: { memory, copyRows } });
  return instance.exports as unknown as KernelExports;
}

/** Whether this processor rounds a·b + c once (fused) or twice; the last bits of results depend on it. */
export function isFused(exports: KernelExports): boolean {
  const nearOne = 1 + 2 ** -12;
  return exports.multiplyAdd(nearOne, nearOne, -(1 + 2 ** -11)) === 2 ** -24;
}

export interface KernelJob {
  readonly layout: Layout;
  readonly records: number;
  readonly threads: number;
  readonly activation: Activation;
  readonly standardization: Standardization | null;
  /** Whether to process zeros instead of skipping them; the results are the same. */
  readonly dense: boolean;
  /** Whether panels are as wide as pairs of joined vectors allow: the same results, faster if vectors are wide. */
  readonly wide: boolean;
  /** Called by a step for the examples of each chunk before their forward pass, unless ROWS_COPIED is set. */
  readonly copyRows: CopyRows;
  /** Called after each step, prediction and evaluation. */
  readonly afterCall: () => void;
}

/** Largest number of vectors in a panel. */
export function panelVectors({ convolutions }: Layout, wide: boolean): number {
  if (convolutions.length > 0) return C.CONVOLUTION_PANEL_VECTORS;
  return wide ? C.WIDE_PANEL_VECTORS : C.NARROW_PANEL_VECTORS;
}

/** @throws RangeError when the network has more layers than the kernel supports. */
export function createKernel(module: WebAssembly.Module, job: KernelJob): Kernel {
  const { layout, standardization } = job;
  const { layers, convolutions, firstDense } = layout;
  const dense = layers.length - firstDense + 1;
  if (dense > C.MAX_LAYERS || convolutions.length > C.MAX_CONVOLUTIONS) {
    throw new RangeError(
      `The kernel supports ${C.MAX_CONVOLUTIONS} convolutions and ${C.MAX_LAYERS} fully connected layers, but the network has ${convolutions.length} and ${dense}.`,
    );
  }
  const memory = new WebAssembly.Memory({ shared: true, initial: layout.pages, maximum: layout.pages });
  const floats = new Float32Array(memory.buffer);
  const header = createView(HEADER, memory.buffer);
  const channels = channelStandardizations(standardization);
  header.PHASE = C.STEP_ENDED;
  header.THREADS = job.threads;
  header.LAYER_COUNT = layers.length;
  header.FIRST_DENSE = firstDense;
  header.CONVOLUTION_COUNT = convolutions.length;
  header.KEPT = layout.kept;
  header.KEPT_STRIDE = layout.keptStride;
  header.VOLUMES = layout.volumes;
  header.VOLUMES_STRIDE = layout.volumesStride;
  header.GROUP_EXAMPLES = layout.groupExamples;
  header.GROUP_DELTA = layout.groupDelta;
  header.GROUP_BYTES = layout.groupBytes;
  header.PIXEL_COUNT = layout.pixels;
  header.RECORDS = layout.records;
  header.RECORD_STRIDE = layout.recordStride;
  header.ZERO_RECORD = job.records * layout.recordStride;
  header.BATCH_LIST = layout.batchList;
  header.PACK16 = layout.pack16;
  header.PACK32 = layout.pack32;
  header.PIXEL_VALUES = layout.pixelValues;
  header.PIXEL_TABLE_STEP = channels.length === 1 ? 0 : C.PIXEL_TABLE_BYTES;
  header.CHANNELS = channels.length;
  header.SCRATCH = layout.scratch;
  header.SCRATCH_STRIDE = layout.scratchStride;
  header.PIXEL_TILE_OFFSET = layout.pixelTileOffset;
  header.MASK_BYTES = layout.maskBytes;
  header.LABELS = layout.labels;
  header.LOSSES = layout.losses;
  header.CORRECT = layout.correct;
  header.PARTIALS = layout.partials;
  header.GRADIENT_DELTA = layout.gradientDelta;
  header.MOMENT1_DELTA = layout.momentDeltas[0] ?? 0;
  header.MOMENT2_DELTA = layout.momentDeltas[1] ?? 0;
  header.ACTIVATION = ACTIVATION_FUNCTIONS[job.activation].code;
  header.DENSE = job.dense ? 0xffff : 0;
  header.PANEL_VECTORS = panelVectors(layout, job.wide);
  // Convolutions read pixels from which the mean has been subtracted, because a border of zeros surrounds them.
  const subtracts = convolutions.length > 0;
  header.STANDARDIZED = standardization === null || subtracts ? 0 : 1;
  for (const [l, layer] of layers.entries()) {
    const entry = createView(LAYER, memory.buffer, HEADER.addresses.LAYERS + l * LAYER.bytes);
    entry.INPUTS = layer.inputs;
    entry.OUTPUTS = layer.outputs;
    entry.WEIGHTS = layer.weights;
    entry.TRANSPOSED = layer.transposed;
    entry.INPUT_VALUES = layer.inputValues;
    entry.INPUT_LIST = layer.inputList;
    entry.OUTPUT_VALUES = layer.outputValues;
    entry.OUTPUT_GRADIENT = layer.outputGradient;
    entry.GRADIENT_LIST = layer.gradientList;
    entry.BACKWARD_SUMS = layer.backwardSums;
    entry.INPUT_GRADIENT = layer.inputGradient;
  }
  for (const [c, each] of convolutions.entries()) {
    const entry = createView(
      CONVOLUTION,
      memory.buffer,
      HEADER.addresses.CONVOLUTIONS + c * CONVOLUTION.bytes,
    );
    entry.KERNEL = each.kernel;
    entry.NORM = each.norm;
    entry.HEIGHT = each.height;
    entry.WIDTH = each.width;
    entry.INPUT_STEP = each.inputStep;
    entry.OUTPUT_STEP = each.outputStep;
    entry.CHANNELS_OUT = each.channels;
    entry.POOLED = each.isPooled ? 1 : 0;
    entry.INPUT_VOLUME = each.inputVolume;
    entry.NORM_VOLUME = each.normVolume;
    entry.NORM_STATISTICS = each.normStatistics;
    entry.SUMS = each.sums;
    entry.CODES = each.codes;
    entry.OUTPUT_VOLUME = each.outputVolume;
    entry.DERIVATIVE = each.derivative;
    entry.GRADIENT = each.gradient;
    entry.OUTPUT_VOLUME_GRADIENT = each.isPooled ? layout.pooledGradient : each.gradient;
  }
  // A fourth table repeats the first one, so that the table after any of the three is the next one.
  for (let c = 0; c < 4; c++) {
    const channel = channels[c % channels.length]!;
    const scale = pixelFactor(channel);
    const shift = subtracts ? Math.fround(channel.mean / channel.std) : 0;
    for (let x = 0; x < 256; x++) {
      floats[(layout.pixelValues + c * C.PIXEL_TABLE_BYTES) / 4 + x] = Math.fround(x * scale) - shift;
    }
  }
  const { PIXEL_SCALES, MEANS_OVER_STDS } = HEADER.addresses;
  for (let i = 0; i < 16; i++) {
    const channel = channels[i % channels.length]!;
    floats[PIXEL_SCALES / 4 + i] = pixelFactor(channel);
    floats[MEANS_OVER_STDS / 4 + i] = channel.mean / channel.std;
  }
  const exports = followCalls(instantiate(module, memory, job.copyRows), job.afterCall);
  exports.prepare();
  return { exports, memory, header, bytes: new Uint8Array(memory.buffer), floats };
}

function followCalls(exports: KernelExports, afterCall: () => void): KernelExports {
  return {
    ...exports,
    step() {
      exports.step();
      afterCall();
    },
    predict(count) {
      exports.predict(count);
      afterCall();
    },
    evaluate() {
      exports.evaluate();
      afterCall();
    },
  };
}

/** 1 / (255 σ) of a channel as a float32. A pixel's value is the float32 product with it, for uint8 and float32 pixels alike. */
function pixelFactor({ std }: ChannelStandardization): number {
  return Math.fround(1 / (255 * std));
}
