/**
 * The file format of checkpoints. Numbers are little-endian; version 1 is the only version.
 *
 * | offset      | bytes  | what                                                                                    |
 * |-------------|--------|-----------------------------------------------------------------------------------------|
 * | 0           | 8      | magic 89 41 54 4c 52 0d 0a 1a: not text, and damaged by any transfer as text             |
 * | 8           | 4      | version, u32: 1                                                                         |
 * | 12          | 4      | h, length of the header, u32                                                            |
 * | 16          | 8      | length of the file, u64                                                                 |
 * | 24          | h      | header: JSON in UTF-8, defined in checkpoint-header.ts                                  |
 * | 24 + h      | 0 to 7 | zeros, up to a multiple of 8                                                            |
 * |             |        | parameters, each vector of moments, the average if any: float32 or float64 (header)     |
 * |             |        | parameters of the best epoch, if any: float32                                           |
 * | length − 32 | 32     | SHA-256 of everything before                                                            |
 *
 * All vectors are packed: W1 (d1 × d0, row-major), b1, W2, b2, ….
 */
import { hash } from 'node:crypto';
import { stateVectors } from '../numerics/engine.ts';
import type { Activation, Parameters, Standardization } from '../numerics/network.ts';
import type { TrainingSnapshot } from '../numerics/training-snapshot.ts';
import {
  type CheckpointHeader,
  damagedCheckpoint,
  findLengthMismatch,
  parseHeader,
  writeHeader,
} from './checkpoint-header.ts';

/** Everything needed to resume a training and its clock, and to predict with its network. */
export interface Checkpoint {
  readonly snapshot: TrainingSnapshot;
  readonly layerSizes: readonly number[];
  readonly activation: Activation;
  readonly standardization: Standardization | null;
  /** Whether multiply-adds were rounded once. Only a processor with the same rounding resumes bit for bit. */
  readonly fused: boolean;
  readonly elapsedSeconds: number;
  /** Duration of the current epoch's steps so far. */
  readonly epochTrainingMs: number;
  readonly evaluationMs: number;
  /** Images and duration of the whole training so far. */
  readonly images: number;
  readonly trainingMs: number;
}

const MAGIC = Buffer.from([0x89, 0x41, 0x54, 0x4c, 0x52, 0x0d, 0x0a, 0x1a]);
const VERSION = 1;
const OFFSETS = { version: 8, headerLength: 12, length: 16, header: 24 } as const;
const HASH_BYTES = 32;
const VECTOR = { float32: Float32Array, float64: Float64Array } as const;

/** @throws RangeError if the vectors do not match the layer sizes or differ in precision */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array<ArrayBuffer> {
  const { snapshot, layerSizes, activation, standardization, fused, ...times } = checkpoint;
  const { engineName, engine, best, ...state } = snapshot;
  const { parameters, moments, average, ...engineState } = engine;
  const lengths = {
    parameters: parameters.length,
    moments: moments.map((moment) => moment.length),
    average: average?.length ?? null,
    best: best?.length ?? null,
  };
  const header: CheckpointHeader = {
    engineName,
    precision: parameters instanceof Float32Array ? 'float32' : 'float64',
    lengths,
    engine: engineState,
    state,
    layerSizes: [...layerSizes],
    activation,
    standardization,
    fused,
    times,
  };
  const misfit = findLengthMismatch(header);
  if (misfit !== null) throw new RangeError(misfit);
  const own = stateVectors(engine);
  if (own.some((vector) => vector.BYTES_PER_ELEMENT !== parameters.BYTES_PER_ELEMENT)) {
    throw new RangeError('Parameters, moments and average must have the same precision.');
  }

  const json = writeHeader(header);
  const length = fileLength(header, json.length);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(OFFSETS.version, VERSION, true);
  view.setUint32(OFFSETS.headerLength, json.length, true);
  view.setBigUint64(OFFSETS.length, BigInt(length), true);
  bytes.set(json, OFFSETS.header);
  let at = dataOffset(json.length);
  for (const vector of [...own, ...(best === null ? [] : [best])]) {
    bytes.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), at);
    at += vector.byteLength;
  }
  bytes.set(hash('sha256', bytes.subarray(0, at), 'buffer'), at);
  return bytes;
}

/**
 * Decodes into copies. Declared sizes are compared with the actual length before anything is allocated.
 * @throws AtelierError `checkpoint-damaged`
 */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const header = readHeader(bytes);
  const { engineName, precision, lengths, engine, state, times, ...network } = header.fields;
  let at = header.dataOffset;
  function read<P extends Parameters>(
    Vector: { new (buffer: ArrayBuffer): P; readonly BYTES_PER_ELEMENT: number },
    length: number,
  ): P {
    const copy = new Uint8Array(length * Vector.BYTES_PER_ELEMENT);
    copy.set(bytes.subarray(at, at + copy.length));
    at += copy.length;
    return new Vector(copy.buffer);
  }
  const readVector = (length: number) => read<Parameters>(VECTOR[precision], length);
  const parameters = readVector(lengths.parameters);
  const moments = lengths.moments.map(readVector);
  const average = lengths.average === null ? null : readVector(lengths.average);
  const best = lengths.best === null ? null : read(Float32Array, lengths.best);
  const snapshot = { ...state, best, engineName, engine: { parameters, moments, average, ...engine } };
  return { snapshot, ...network, ...times };
}

function readHeader(bytes: Uint8Array): { readonly fields: CheckpointHeader; readonly dataOffset: number } {
  const least = OFFSETS.header + HASH_BYTES;
  if (bytes.length < least)
    throw damagedCheckpoint(`it has only ${bytes.length} bytes; at least ${least} are required`);
  if (MAGIC.compare(bytes, 0, MAGIC.length) !== 0) {
    throw damagedCheckpoint('its first 8 bytes are not the signature of a checkpoint');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(OFFSETS.version, true);
  if (version !== VERSION) throw damagedCheckpoint(`its version is ${version}; only ${VERSION} is supported`);
  const length = view.getBigUint64(OFFSETS.length, true);
  if (length > bytes.length) throw damagedCheckpoint(`it is truncated to ${bytes.length} of ${length} bytes`);
  if (length < bytes.length) throw damagedCheckpoint(`${BigInt(bytes.length) - length} bytes follow its end`);
  const end = bytes.length - HASH_BYTES;
  if (hash('sha256', bytes.subarray(0, end), 'buffer').compare(bytes, end) !== 0) {
    throw damagedCheckpoint('its checksum does not match');
  }

  const headerLength = view.getUint32(OFFSETS.headerLength, true);
  if (dataOffset(headerLength) > end) {
    throw damagedCheckpoint(`its header of ${headerLength} bytes is longer than the file`);
  }
  const fields = parseHeader(bytes.subarray(OFFSETS.header, OFFSETS.header + headerLength));
  const misfit = findLengthMismatch(fields);
  if (misfit !== null) throw damagedCheckpoint(misfit);
  const expected = fileLength(fields, headerLength);
  if (expected !== bytes.length) {
    throw damagedCheckpoint(`its vectors require a file of ${expected} bytes, but it has ${bytes.length}`);
  }
  return { fields, dataOffset: dataOffset(headerLength) };
}

/** Length of the whole file in bytes. */
function fileLength(
  { precision, lengths: { parameters, moments, average, best } }: CheckpointHeader,
  headerLength: number,
): number {
  const own =
    parameters * (1 + moments.length + (average === null ? 0 : 1)) * VECTOR[precision].BYTES_PER_ELEMENT;
  return dataOffset(headerLength) + own + (best ?? 0) * Float32Array.BYTES_PER_ELEMENT + HASH_BYTES;
}

function dataOffset(headerLength: number): number {
  return Math.ceil((OFFSETS.header + headerLength) / 8) * 8;
}
