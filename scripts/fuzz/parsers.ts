/** Everything that reads foreign bytes, each with real files to mutate. */
import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { zipSync } from 'fflate';
import { readConfig } from '../../src/config/read.ts';
import { preprocessingFor } from '../../src/domain/predictions/preprocessing.ts';
import { npyBytes, parseNpy } from '../../src/formats/arrays/npy.ts';
import { layerTensors } from '../../src/formats/arrays/tensor.ts';
import { exportModel } from '../../src/formats/models/export.ts';
import { ONNX_INPUTS } from '../../src/formats/models/export-formats.ts';
import { type ImportHints, importModel } from '../../src/formats/models/import.ts';
import { verifyOnnxGraph } from '../../src/formats/onnx/verify.ts';
import { readEncodedJson } from '../../src/images/json-encoded.ts';
import { decodeJson } from '../../src/images/json-pixels.ts';
import { decodeNpy } from '../../src/images/npy.ts';
import type { ImageShape } from '../../src/numerics/network/image-shape.ts';
import { createMemoryLedger } from '../../src/services/memory/ledger.ts';
import { createImageDecoder } from '../../src/services/predictions/image-decoder.ts';
import { decodeCheckpoint } from '../../src/store/checkpoints/decode.ts';
import { arraysOfDatasets } from './data-set-arrays.ts';
import { tablesOfDatasets } from './data-set-tables.ts';
import { checkpoints, encodedJsonBodies, fixtures, jsonBodies, model, pictures } from './files.ts';
import { imageArchives } from './image-archives.ts';
import type { Parsers } from './input.ts';
import { pick } from './mutations.ts';

const decodeFiles = createImageDecoder(createMemoryLedger(), readConfig({}).maxImagePixels);
const { signal } = new AbortController();

/** Shapes of models: that of the files, one with as many values, and others. */
const SHAPES: readonly ImageShape[] = [
  [28, 28],
  [28, 28],
  [14, 56],
  [8, 8],
  [16, 16, 3],
];

const CHECKPOINT = { length: 16, hashBytes: 32, leastBytes: 56 };

function sealCheckpoint(bytes: Uint8Array): Uint8Array {
  if (bytes.length < CHECKPOINT.leastBytes) return bytes;
  new DataView(bytes.buffer).setBigUint64(CHECKPOINT.length, BigInt(bytes.length), true);
  const end = bytes.length - CHECKPOINT.hashBytes;
  bytes.set(hash('sha256', bytes.subarray(0, end), 'buffer'), end);
  return bytes;
}

/** Corrects the checksums of the chunks of a PNG, as far as their lengths are valid. */
function sealPng(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer);
  if (bytes[0] !== 0x89) return bytes;
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > bytes.length) break;
    view.setUint32(end, crc32(bytes.subarray(at + 4, end)));
    at = end + 4;
  }
  return bytes;
}

const HINTS: readonly ImportHints[] = [
  {},
  { hidden: [] },
  { hidden: [], activation: 'tanh' },
  { classNames: ['a', 'b'] },
  { inputShape: [32, 32, 3] },
  { inputShape: [3, 32, 32], hidden: [2] },
  { inputShape: [28, 28], convolutions: [[4], [6]] },
  { inputShape: [3, 32, 32], convolutions: [[8, 4], [12]], norm: 'group', hidden: [] },
];

/** Parsers that need no running service. */
export const all = {
  npy: () => ({
    files: fixtures('npy', '.npy'),
    parse: (bytes, random) =>
      random.below(2) === 0 ? parseNpy(bytes) : decodeNpy(bytes, pick(random, SHAPES)),
  }),
  pictures: async () => ({
    files: await pictures(),
    seal: sealPng,
    parse: (bytes, random) =>
      decodeFiles(
        [{ bytes }],
        preprocessingFor(null, random.below(2) === 0 ? undefined : 'contain'),
        pick(random, SHAPES),
        () => signal,
      ),
  }),
  'json images': () => ({
    files: jsonBodies(),
    parse: (bytes, random) =>
      decodeJson(bytes, pick(random, SHAPES), random.below(2) === 0 ? {} : { pixels: '0-1' }),
  }),
  'encoded images in JSON': async () => ({
    files: await encodedJsonBodies(),
    parse: (bytes, random) =>
      decodeFiles(
        readEncodedJson(bytes),
        preprocessingFor(null, random.below(2) === 0 ? undefined : 'contain'),
        pick(random, SHAPES),
        () => signal,
      ),
  }),
  checkpoints: () => ({ files: checkpoints(), seal: sealCheckpoint, parse: decodeCheckpoint }),
  npz: () => ({
    files: [...fixtures('formats', '.npz'), exportModel(model(), 'npz')],
    parse: (bytes, random) => importModel(bytes, pick(random, HINTS)),
  }),
  'arrays in npz': () => {
    const tensors = layerTensors(model().architecture, model().parameters);
    const files = tensors.map(({ data, shape }) => npyBytes(data, shape));
    return {
      files,
      parse(bytes, random) {
        const entries = tensors.map(({ name }, n) => [`${name}.npy`, files[n]!] as const);
        const one = { [pick(random, entries)[0]]: bytes };
        return importModel(
          zipSync({ ...Object.fromEntries(entries), ...one }, { level: random.below(2) === 0 ? 0 : 1 }),
        );
      },
    };
  },
  'packed npy': () => ({
    files: [exportModel(model(), 'npy')],
    parse: (bytes, random) => importModel(bytes, pick(random, HINTS)),
  }),
  safetensors: () => ({
    files: [
      ...fixtures('formats', '.safetensors'),
      ...fixtures('formats/shapes', '.safetensors'),
      ...fixtures('formats/convolutions', '.safetensors'),
      exportModel(model(), 'safetensors'),
    ],
    parse: (bytes, random) => importModel(bytes, pick(random, HINTS)),
  }),
  onnx: () => ({
    files: [exportModel(model(), 'onnx', 'float'), exportModel(model(), 'onnx', 'uint8')],
    parse: (bytes, random) => verifyOnnxGraph(bytes, model(), pick(random, ONNX_INPUTS)),
  }),
  'imported onnx': () => ({
    files: [
      ...fixtures('formats', '.onnx'),
      ...fixtures('formats/shapes', '.onnx'),
      ...fixtures('formats/convolutions', '.onnx'),
      exportModel(model(), 'onnx', 'uint8'),
    ],
    parse: (bytes, random) => importModel(bytes, pick(random, HINTS)),
  }),
  'arrays of data sets': arraysOfDatasets,
  'tables of data sets': tablesOfDatasets,
  'archives of images': imageArchives,
  configuration: () => ({
    files: [
      ['ci:train', 1],
      ['a:predict+admin', 2],
      ['long.name_with-all:predict+train+admin', 3],
    ].map(
      ([entry, n]) =>
        new Uint8Array(
          Buffer.from(`${entry}:${hash('sha256', `${n}`)},b${n}:predict:${hash('sha256', 'b')}`),
        ),
    ),
    parse: (bytes) => readConfig({ API_KEYS: Buffer.from(bytes).toString() }),
  }),
} satisfies Parsers;
