/** Writes checkpoints. Imports no schema, because training threads use it. */

import { hash } from 'node:crypto';
import { describeArchitecture } from '../../domain/models/architecture.ts';
import { stateVectors } from '../../numerics/training/engine.ts';
import {
  type Checkpoint,
  dataOffset,
  fileLength,
  findLengthMismatch,
  MAGIC,
  OFFSETS,
  VERSION,
} from './format.ts';
import type { CheckpointHeader } from './header.ts';

/** @throws RangeError if the vectors do not match the layer sizes or differ in precision */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array<ArrayBuffer> {
  const { snapshot, architecture, activation, standardization, fused, ...times } = checkpoint;
  const { engineName, engine, best, ...state } = snapshot;
  const { parameters, moments, average, ...engineState } = engine;
  const lengths = {
    parameters: parameters.length,
    moments: moments.map((moment) => moment.length),
    average: average?.length ?? null,
    best: best?.length ?? null,
  };
  const { inputShape, ...layers } = describeArchitecture(architecture);
  const header: CheckpointHeader = {
    engineName,
    precision: parameters instanceof Float32Array ? 'float32' : 'float64',
    lengths,
    engine: engineState,
    state,
    imageShape: inputShape,
    ...layers,
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

function writeHeader(header: CheckpointHeader): Uint8Array {
  return Buffer.from(JSON.stringify(header, (_, value: unknown) => toJson(value)));
}

/** JSON would turn NaN and infinities into null, and −0 into 0. */
function toJson(value: unknown): unknown {
  if (Object.is(value, -0)) return '-0';
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
