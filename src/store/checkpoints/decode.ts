/** Reads checkpoints. */

import { hash } from 'node:crypto';
import { architectureOf } from '../../domain/models/architecture.ts';
import type { Parameters } from '../../numerics/network/layers.ts';
import {
  type Checkpoint,
  dataOffset,
  fileLength,
  findLengthMismatch,
  HASH_BYTES,
  MAGIC,
  OFFSETS,
  VECTOR,
  VERSION,
} from './format.ts';
import { type CheckpointHeader, damagedCheckpoint, parseHeader } from './header.ts';

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
  const { imageShape, convolutions, norm, layerSizes, ...settings } = network;
  const architecture = architectureOf({ inputShape: imageShape, convolutions, norm, layerSizes });
  return { snapshot, architecture, ...settings, ...times };
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
