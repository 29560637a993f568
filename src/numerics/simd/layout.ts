/** Memory layout behind the kernel's header, sized for network, batch and threads. */

import { ERASE_SHAPES, NOISE_CHANGES, WARPS } from '../examples/augment.ts';
import { type Architecture, type PlannedLayer, plan, volumeSize } from '../network/architecture.ts';
import { channelCount, type ImageShape, valueCount } from '../network/image-shape.ts';
import { type EngineSettings, momentCount, stateVectorCount } from '../training/engine.ts';
import {
  BLOCK_ROWS,
  CHUNK_EXAMPLES,
  LIST_START_BYTES,
  PIXEL_TABLE_BYTES,
  PIXEL_TILE,
  TILE_EXAMPLES,
  WIDE_PANEL_VECTORS,
} from './constants.ts';
import { HEADER } from './header.ts';
import {
  allocator,
  flatRows,
  layOutConvolutions,
  lines,
  oddLines,
  padded,
  vectorCount,
} from './layers-layout.ts';

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
/** Bytes of the gradients of all groups, unless these are MIN_GROUPS; and the largest number of groups. */
const GROUPS_BYTES = 2 ** 26;
const MIN_GROUPS = 4;
const MAX_GROUPS = 16;
const blockCount = (inputs: number) => Math.floor(inputs / BLOCK_ROWS) + 1;
/** Bytes of a list: starts of tiles, then the positions, with room for the eight written at a time. */
const listBytes = (inputs: number) => LIST_START_BYTES + 2 * (inputs + 16);

export function layOut(request: LayoutRequest) {
  const { architecture, records, threads, training } = request;
  const planned = plan(architecture).layers;
  const memory = allocator(HEADER.bytes);
  const record = allocator(0);
  const weightsStart = memory.end();
  const { layers, ...convolutional } = layOutConvolutions(planned, memory);
  const groupBytes = memory.end() - weightsStart;
  const firstDense = layers.length;
  const dense = planned.filter(({ type }) => type === 'dense');
  const pixels = valueCount(architecture.inputShape);
  const [{ input: flat }] = dense as [PlannedLayer];
  const rows = firstDense === 0 ? null : flatRows(flat);
  const flatSize = firstDense === 0 ? 0 : (volumeSize(flat) / flat.channels) * padded(flat.channels);
  const widest = Math.max(4 * flatSize, ...dense.map(({ output }) => vectorCount(output.channels) * 16));
  let inputValues = record.take(training ? pixels + 32 : 4 * pixels + 64);
  let inputList = firstDense === 0 ? record.take(listBytes(pixels)) : 0;
  const backwardSums = record.take(widest);
  let inputGradient = 0;
  if (firstDense > 0) {
    inputValues = record.take(4 * flatSize);
    inputGradient = training ? record.take(4 * flatSize) : backwardSums;
  }
  for (const [l, { input, output }] of dense.entries()) {
    const inputs = l === 0 && firstDense > 0 ? flatSize : volumeSize(input);
    const outputs = output.channels;
    const bytes = vectorCount(outputs) * 16;
    const outputValues = record.take(bytes);
    const outputGradient = training ? record.take(bytes) : backwardSums;
    layers.push({
      inputs,
      outputs,
      units: outputs,
      rows: l === 0 ? rows : null,
      weights: memory.take(bytes * (inputs + 1)),
      transposed: 0,
      inputValues,
      inputList,
      outputValues,
      outputGradient,
      gradientList: training && l > 0 && firstDense === 0 ? record.take(listBytes(outputs)) : 0,
      backwardSums,
      inputGradient,
    });
    inputValues = outputValues;
    inputGradient = outputGradient;
    inputList = firstDense === 0 && l + 1 < dense.length ? record.take(listBytes(outputs)) : 0;
  }
  const weightsBytes = memory.end() - weightsStart;
  const moments = training === null ? 0 : momentCount(training.optimizer);
  const groups = Math.max(MIN_GROUPS, Math.min(MAX_GROUPS, Math.floor(GROUPS_BYTES / groupBytes)));
  const groupExamples = Math.ceil(records / groups);
  let groupDelta = 0;
  if (training) {
    memory.take(weightsBytes * (1 + stateVectorCount(training)));
    for (let l = 1; l < layers.length; l++) {
      const layer = layers[l]!;
      const bytes = vectorCount(layer.inputs) * layer.outputs * 16;
      layers[l] = { ...layer, transposed: layer.inputs === 0 ? 0 : memory.take(bytes) };
    }
    groupDelta = memory.take(groupBytes * Math.ceil(records / groupExamples)) - weightsStart;
  }
  const recordStride = oddLines(record.end());
  const keptStride = oddLines(convolutional.keptBytes);
  const volumesStride = oddLines(convolutional.volumeBytes);
  const maskBytes = Math.ceil(records / TILE_EXAMPLES) * (TILE_EXAMPLES / 8) * BLOCK_ROWS;
  const tileBytes = BLOCK_ROWS * (TILE_EXAMPLES + 8) * 4 + BLOCK_ROWS * 4;
  const partnerStride = lines(pixels + 16);
  const lists =
    (BLOCK_ROWS + 2) * 16 * WIDE_PANEL_VECTORS + maskBytes + Math.ceil(records / TILE_EXAMPLES) * tileBytes;
  const folded = vectorCount(layers[0]!.outputs) * 16;
  const copied = training ? imageCopy(architecture.inputShape, training.augmentation.shift).bytes : 0;
  // Behind the folded biases: the sums of a panel, a counter for each class, or the copy of an image.
  const behind = Math.max(16 * WIDE_PANEL_VECTORS, 4 * (architecture.classes + 2), copied);
  const pixelTileOffset = lines(Math.max(training ? lists : 0, folded + behind)) + 64;
  const pixelTile = firstDense === 0 ? 4 * PIXEL_TILE * Math.min(records, CHUNK_EXAMPLES) : 0;
  const scratchStride = pixelTileOffset + pixelTile + 64;
  return {
    layers,
    firstDense: firstDense + 1,
    ...convolutional,
    groupExamples,
    groupBytes,
    groupDelta,
    pixels,
    kept: memory.take(keptStride * (training ? records : 1)),
    // Without a backward pass, one image after the other has the same memory.
    keptStride: training ? keptStride : 0,
    volumes: memory.take(volumesStride * threads),
    volumesStride,
    pack16: memory.take(4096),
    pack32: memory.take(8192),
    // A table for each channel; the first one follows the last one again.
    pixelValues: memory.take(4 * PIXEL_TABLE_BYTES),
    batchList: memory.take(4 * (records + 1)),
    labels: memory.take(2 * records),
    losses: memory.take(4 * records),
    correct: memory.take(records),
    partials: memory.take(8 * layers.reduce((sum, { inputs }) => sum + blockCount(inputs), 0)),
    classWeights: memory.take(4 * architecture.classes),
    // Rows of whole vectors.
    targets: memory.take((training?.targetRows ?? 0) * vectorCount(architecture.classes) * 16),
    warpTable: memory.take(training ? WARP_BYTES : 0),
    noiseTable: memory.take(training ? NOISE_BYTES : 0),
    eraseShapes: memory.take(training ? ERASE_BYTES : 0),
    // Rows of the examples that the batch is mixed with; 0 without mixup.
    partnerRows: training?.mixup ? memory.take(partnerStride * records) : 0,
    partnerStride,
    scratch: memory.take(scratchStride * threads),
    scratchStride,
    pixelTileOffset,
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
