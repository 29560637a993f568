/** The float32 engine: writes settings to the kernel's memory, calls the kernel each step. */

import { drawMixingFraction, drawPartners } from '../examples/mixup.ts';
import { parameterCount } from '../network/architecture.ts';
import { valueCount } from '../network/image-shape.ts';
import { checkLength, type Parameters } from '../network/layers.ts';
import { emaDecay } from '../training/ema.ts';
import {
  type BatchSums,
  checkAverage,
  checkBatch,
  type Engine,
  type EngineSettings,
  type EngineState,
  type Examples,
  type StepPosition,
  stateVectors,
} from '../training/engine.ts';
import * as C from './constants.ts';
import { type CopyRows, createCopyRows, type RowsLayout } from './copy-rows.ts';
import { HEADER } from './header.ts';
import { createKernel, instantiate, isFused, panelVectors } from './kernel.ts';
import { writeSettings } from './kernel-settings.ts';
import { type Layout, layOut } from './layout.ts';
import { pack, unpackInto } from './packing.ts';

/** Handle with which another thread joins a kernel; it can be posted to a worker. */
export interface KernelHandle {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly rows: RowsLayout;
  /** Pixels of the data set, in shared memory. */
  readonly pixels: Uint8Array;
}

export interface KernelEngine extends Engine {
  /** Whether this processor rounds multiply-adds once. */
  readonly fused: boolean;
  /** Creates the handle for `runKernelThread`, with the pixels of the steps in shared memory. */
  createHandle(pixels: Uint8Array): KernelHandle;
  /** Ends every `runKernelThread`; later steps run in the engine's own thread alone. */
  shutdown(): void;
}

export interface KernelOptions {
  readonly threads?: number;
  /** Whether to process zeros instead of skipping them; for the test that skipping changes no result. */
  readonly dense?: boolean;
  /** Whether panels are as wide as pairs of joined vectors allow: the same results, faster if vectors are wide. */
  readonly wide?: boolean;
  /** Called after each step, prediction and evaluation. */
  readonly afterCall?: () => void;
}

/** Weights up to this size stay in a core's own cache and can be read again for every few examples. */
const CACHED_BYTES = 512 * 1024;

/**
 * Two items per thread, to balance the load. One item for a single thread, and for wide networks, so that each thread
 * reads the weights only once. At least four examples per item; with convolutions, whole groups.
 */
function examplesPerItem(
  batch: number,
  threads: number,
  { convolutions, weightsBytes, groupExamples }: Layout,
): number {
  const isWide = convolutions.length === 0 && weightsBytes > CACHED_BYTES;
  const items = threads === 1 || isWide ? threads : 2 * threads;
  const size = Math.max(4, Math.ceil(batch / items));
  return convolutions.length === 0 ? size : Math.ceil(size / groupExamples) * groupExamples;
}

/**
 * Copies `initial`, rounded to float32.
 * @throws RangeError when its length does not fit the layer sizes; when layers, batch or threads exceed the kernel's
 *   limits; or when rows to augment are not images of the settings' shape.
 */
export function createKernelEngine(
  module: WebAssembly.Module,
  settings: EngineSettings,
  initial: Parameters,
  { threads = 1, dense = false, wide = false, afterCall = () => {} }: KernelOptions = {},
): KernelEngine {
  const { architecture, batchSize, optimizer, clipNorm, ema, mixup, distillation } = settings;
  if (!(batchSize >= 1 && batchSize <= C.MAX_BATCH)) {
    throw new RangeError(
      `A batch must have 1 to ${C.MAX_BATCH.toLocaleString('en')} examples, but has ${batchSize.toLocaleString('en')}.`,
    );
  }
  if (!(threads >= 1 && threads <= C.MAX_THREADS)) {
    throw new RangeError(`A training must have 1 to ${C.MAX_THREADS} threads, but has ${threads}.`);
  }
  const count = parameterCount(architecture);
  const targetRows = distillation === null ? 0 : distillation.targets.length / architecture.classes;
  const training = { ...settings, targetRows };
  const layout = layOut({ architecture, records: batchSize, threads, training });
  const { layers, gradientDelta, momentDeltas, averageDelta } = layout;
  const panel = panelVectors(layout, wide);
  // Replaced when the examples are known; the kernel imports a function that calls the current one.
  let copyRows: CopyRows = () => {};
  const kernel = createKernel(module, {
    layout,
    records: batchSize,
    threads,
    activation: settings.activation,
    standardization: settings.standardization,
    dense,
    wide,
    copyRows: (first, last) => copyRows(first, last),
    afterCall,
  });
  const { exports, header, floats } = kernel;
  const indices = new Uint32Array(kernel.memory.buffer, HEADER.addresses.INDICES, C.MAX_BATCH);
  const labels = new Uint16Array(kernel.memory.buffer, layout.labels, batchSize);
  const partners = new Uint32Array(kernel.memory.buffer, HEADER.addresses.PARTNERS, C.MAX_BATCH);
  const { records, recordStride, partnerRows, partnerStride } = layout;
  const rows = {
    inputs: valueCount(architecture.inputShape),
    records,
    recordStride,
    partnerRows,
    partnerStride,
  };
  let pixels: Uint8Array | null = null;
  let sharedPixels: Uint8Array | null = null;
  writeSettings(kernel, layout, settings);
  writeParameters(initial);
  if (ema !== null) unpackInto(floats, initial, layers, averageDelta, panel);
  let steps = 0;
  let norm = Number.NaN;

  function writeParameters(packed: Parameters): void {
    checkLength(packed, architecture);
    unpackInto(floats, packed, layers, 0, panel);
    exports.transposeAll();
  }

  /** Whether a step is only decay and −η times the gradient. MODE_DIRECT adds it to the weights as it is summed. */
  const canAddDirectly =
    optimizer.type === 'sgd' && optimizer.momentum === 0 && settings.l1 === 0 && clipNorm === null;

  function run(
    mode: number,
    examples: Examples,
    batch: Uint32Array,
    position: StepPosition,
    sums: BatchSums | null,
  ): void {
    checkBatch(settings, batch);
    if (examples.pixels !== pixels) {
      pixels = examples.pixels;
      copyRows = createCopyRows(kernel.memory, rows, pixels);
    }
    for (let n = 0; n < batch.length; n++) {
      indices[n] = batch[n]!;
      labels[n] = examples.labels[batch[n]!]!;
    }
    if (mixup !== null) {
      const fraction = drawMixingFraction(mixup, settings.seed, position.epoch, position.start);
      header.MIXING_WEIGHT = 256 * fraction;
      header.PARTNER_FRACTION = 1 - fraction;
      drawPartners(partners.subarray(0, batch.length), settings.seed, position.epoch, position.start);
    }
    // Other threads can read only the pixels of their handle, so rows of other pixels are copied here.
    const copiesAllRows = threads > 1 && pixels.buffer !== sharedPixels?.buffer;
    header.ROWS_COPIED = copiesAllRows ? 1 : 0;
    if (copiesAllRows) copyRows(0, batch.length);
    const rate = position.learningRate;
    header.MODE = mode;
    header.BATCH_SIZE = batch.length;
    header.EXAMPLES_PER_ITEM = examplesPerItem(batch.length, threads, layout);
    header.EPOCH = position.epoch;
    header.START = position.start;
    header.LEARNING_RATE = rate;
    // The factor of the mean, times −η where the sums start from the weights themselves.
    header.DZ_SCALE = (mode === C.MODE_DIRECT ? -rate : 1) / batch.length;
    if (optimizer.type === 'adam' || optimizer.type === 'adamw') {
      header.STEP_SIZE = rate / (1 - optimizer.beta1 ** (steps + 1));
      header.ROOT_CORRECTION = 1 / Math.sqrt(1 - optimizer.beta2 ** (steps + 1));
      header.KEEP_WEIGHTS = optimizer.type === 'adamw' ? 1 - rate * optimizer.weightDecay : 1;
    } else {
      header.KEEP_WEIGHTS = 1 - rate * (settings.l2 + optimizer.weightDecay);
    }
    if (ema !== null) header.AVERAGE_RATE = 1 - emaDecay(ema, steps + 1);
    exports.step();
    if (sums === null) return;
    sums.loss = header.LOSS_SUM;
    sums.correct = header.CORRECT_SUM;
  }

  /** @param delta bytes from each weight to the number to read */
  function readPacked(delta: number): Float32Array {
    const packed = new Float32Array(count);
    pack(packed, floats, layers, delta, panel);
    return packed;
  }

  return {
    name: 'simd-float32',
    fused: isFused(exports),
    createHandle(pixels) {
      sharedPixels = pixels;
      return { module, memory: kernel.memory, rows, pixels };
    },
    get parameters() {
      return readPacked(averageDelta);
    },
    step(examples, batch, position, sums) {
      const buffered = position.measureNorm || clipNorm !== null;
      const mode = buffered ? C.MODE_BUFFERED : canAddDirectly ? C.MODE_DIRECT : C.MODE_FUSED;
      run(mode, examples, batch, position, sums);
      steps++;
      if (buffered) norm = header.GRADIENT_NORM;
    },
    gradientNorm: () => norm,
    gradient(out, examples, batch, position) {
      run(C.MODE_GRADIENT, examples, batch, position, null);
      pack(out, floats, layers, gradientDelta, panel);
    },
    exportState: () => ({
      parameters: readPacked(0),
      average: ema && readPacked(averageDelta),
      moments: momentDeltas.map(readPacked),
      steps,
      gradientNorm: norm,
    }),
    importState(state: EngineState) {
      if (state.moments.length !== momentDeltas.length) {
        throw new RangeError(
          `The ${optimizer.type} of this engine keeps ${momentDeltas.length} moments, not ${state.moments.length}.`,
        );
      }
      checkAverage(settings, state);
      for (const vector of stateVectors(state)) checkLength(vector, architecture);
      writeParameters(state.parameters);
      if (state.average !== null) unpackInto(floats, state.average, layers, averageDelta, panel);
      state.moments.forEach((moment, m) => {
        unpackInto(floats, moment, layers, momentDeltas[m]!, panel);
      });
      steps = state.steps;
      norm = state.gradientNorm;
    },
    shutdown: () => exports.shutdown(),
  };
}

/**
 * Runs another thread of a kernel: blocks the thread until the engine's `shutdown`. The engine's own thread has rank
 * 0; call this once for each of the ranks 1 … threads − 1. A thread that starts late, or never, only makes steps
 * slower. Each thread copies the rows of its own examples, so that they are in its core's cache.
 */
export function runKernelThread({ module, memory, rows, pixels }: KernelHandle, rank: number): void {
  instantiate(module, memory, createCopyRows(memory, rows, pixels)).runThread(rank);
}
