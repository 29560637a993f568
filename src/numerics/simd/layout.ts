/** Memory layout behind the kernel's header, sized for network, batch and threads. */

import { ERASE_SHAPES, NOISE_CHANGES, WARPS } from '../examples/augment.ts';
import { type Architecture, layerSizes } from '../network/architecture.ts';
import { channelCount, type ImageShape } from '../network/image-shape.ts';
import { type EngineSettings, momentCount, stateVectorCount } from '../training/engine.ts';
import {
  BLOCK_ROWS,
  LIST_START_BYTES,
  PIXEL_TABLE_BYTES,
  TILE_EXAMPLES,
  WIDE_PANEL_VECTORS,
} from './constants.ts';
import { HEADER } from './header.ts';

export interface LayerLayout {
  readonly inputs: number;
  readonly outputs: number;
  /** Addresses; `transposed` is 0 without training, and for the first layer: it passes no gradient back. */
  readonly weights: number;
  readonly transposed: number;
  /** Offsets in the record of an example. */
  readonly inputValues: number;
  readonly inputList: number;
  readonly outputValues: number;
  readonly outputGradient: number;
  readonly gradientList: number;
  readonly backwardSums: number;
}

export type Layout = ReturnType<typeof layOut>;

export interface LayoutRequest {
  readonly architecture: Architecture;
  readonly records: number;
  readonly threads: number;
  /** null for a forward pass only, with room for float32 pixels. */
  readonly training: LayoutOptions | null;
}

/** The options of a training that need memory in the kernel. */
export interface LayoutOptions extends Pick<EngineSettings, 'optimizer' | 'ema' | 'mixup' | 'augmentation'> {
  /** Number of examples that have targets of teachers; 0 without distillation. */
  readonly targetRows: number;
}

const LINE = 64;
/** Bytes of a page of WebAssembly memory. */
export const PAGE_BYTES = 65536;
/** Bytes of the augmentation tables: changes of a value, rotations with scales, and the sides of the most rectangles possible. */
const NOISE_BYTES = 2 * NOISE_CHANGES;
const WARP_BYTES = 8 * WARPS;
const ERASE_BYTES = 2 * ERASE_SHAPES;

/**
 * The copy from which an image is moved. Each row has zeros on both sides, enough for the largest shift, and room for whole
 * vectors; above and below are rows of zeros.
 */
export function imageCopy(shape: ImageShape, shift: number) {
  const channels = channelCount(shape);
  const left = Math.max(16, vectorBytes(shift * channels));
  const stride = 2 * left + vectorBytes(shape[1] * channels);
  return { left, stride, bytes: (shape[0] + 2) * stride + 16 };
}

const vectorBytes = (bytes: number) => Math.ceil(bytes / 16) * 16;
const lines = (bytes: number) => Math.ceil(bytes / LINE) * LINE;
/** Number of float32×4 vectors of a layer, even. */
export const vectorCount = (units: number) => ((units + 7) >> 3) << 1;
const blockCount = (inputs: number) => Math.floor(inputs / BLOCK_ROWS) + 1;
/** Bytes of a list: starts of tiles, then the positions, with room for the eight written at a time. */
const listBytes = (inputs: number) => LIST_START_BYTES + 2 * (inputs + 16);

/** Allocates consecutive cache lines. */
function allocator(start: number) {
  let end = start;
  return {
    take: (bytes: number) => {
      const at = end;
      end += lines(bytes);
      return at;
    },
    end: () => end,
  };
}

export function layOut(request: LayoutRequest) {
  const { architecture, records, threads, training } = request;
  const sizes = layerSizes(architecture);
  const memory = allocator(HEADER.bytes);
  const record = allocator(0);
  const widest = Math.max(...sizes.slice(1).map((size) => vectorCount(size) * 16));
  let inputValues = record.take(training ? sizes[0]! + 32 : 4 * sizes[0]! + 64);
  let inputList = record.take(listBytes(sizes[0]!));
  const backwardSums = record.take(widest);
  const layers: LayerLayout[] = [];
  const weightsStart = memory.end();
  for (let l = 1; l < sizes.length; l++) {
    const [inputs, outputs] = [sizes[l - 1]!, sizes[l]!];
    const bytes = vectorCount(outputs) * 16;
    const outputValues = record.take(bytes);
    const layer = {
      inputs,
      outputs,
      weights: memory.take(bytes * (inputs + 1)),
      transposed: 0,
      inputValues,
      inputList,
      outputValues,
      outputGradient: training ? record.take(bytes) : backwardSums,
      gradientList: training && l > 1 ? record.take(listBytes(outputs)) : 0,
      backwardSums,
    };
    layers.push(layer);
    inputValues = outputValues;
    inputList = l + 1 < sizes.length ? record.take(listBytes(outputs)) : 0;
  }
  const weightsBytes = memory.end() - weightsStart;
  const moments = training === null ? 0 : momentCount(training.optimizer);
  if (training) {
    memory.take(weightsBytes * (1 + stateVectorCount(training)));
    for (let l = 1; l < layers.length; l++) {
      const layer = layers[l]!;
      layers[l] = {
        ...layer,
        transposed: memory.take(vectorCount(layer.inputs) * layer.outputs * 16),
      };
    }
  }
  // An odd number of cache lines spreads the same field of many records over all sets of the cache.
  const recordLines = lines(record.end()) / LINE;
  const recordStride = (recordLines | 1) * LINE;
  const maskBytes = Math.ceil(records / TILE_EXAMPLES) * (TILE_EXAMPLES / 8) * BLOCK_ROWS;
  const tileBytes = BLOCK_ROWS * (TILE_EXAMPLES + 8) * 4 + BLOCK_ROWS * 4;
  const partnerStride = lines(sizes[0]! + 16);
  const lists =
    (BLOCK_ROWS + 2) * 16 * WIDE_PANEL_VECTORS + maskBytes + Math.ceil(records / TILE_EXAMPLES) * tileBytes;
  const folded = vectorCount(sizes[1]!) * 16;
  const copied = training ? imageCopy(architecture.inputShape, training.augmentation.shift).bytes : 0;
  // Behind the folded biases: the sums of a panel, a counter for each class, or the copy of an image.
  const behind = Math.max(16 * WIDE_PANEL_VECTORS, 4 * (sizes.at(-1)! + 2), copied);
  const scratchStride = lines(Math.max(training ? lists : 0, folded + behind)) + LINE;
  return {
    layers,
    pack16: memory.take(4096),
    pack32: memory.take(8192),
    // A table for each channel; the first one follows the last one again.
    pixelValues: memory.take(4 * PIXEL_TABLE_BYTES),
    batchList: memory.take(4 * (records + 1)),
    labels: memory.take(records),
    losses: memory.take(4 * records),
    correct: memory.take(records),
    partials: memory.take(8 * layers.reduce((sum, { inputs }) => sum + blockCount(inputs), 0)),
    classWeights: memory.take(4 * sizes.at(-1)!),
    // Rows of whole vectors.
    targets: memory.take((training?.targetRows ?? 0) * vectorCount(sizes.at(-1)!) * 16),
    warpTable: memory.take(training ? WARP_BYTES : 0),
    noiseTable: memory.take(training ? NOISE_BYTES : 0),
    eraseShapes: memory.take(training ? ERASE_BYTES : 0),
    // Rows of the examples that the batch is mixed with; 0 without mixup.
    partnerRows: training?.mixup ? memory.take(partnerStride * records) : 0,
    partnerStride,
    scratch: memory.take(scratchStride * threads),
    scratchStride,
    maskBytes,
    // One more record, of zeros: lists are padded with it, and reads of whole blocks may extend into it.
    records: memory.take(recordStride * (records + 1)),
    recordStride,
    // Bytes of all layers' weights. The gradient, each moment and the average follow in the same size and layout.
    weightsBytes,
    // Bytes from a weight to its gradient, to each of its moments, and to its average; 0 without EMA.
    gradientDelta: weightsBytes,
    momentDeltas: Array.from({ length: moments }, (_, m) => (2 + m) * weightsBytes),
    averageDelta: training?.ema ? (2 + moments) * weightsBytes : 0,
    pages: Math.ceil(memory.end() / PAGE_BYTES),
  };
}
