/**
 * Reads and writes safetensors: eight bytes of header length, a JSON header, then the tensors.
 * Format: https://github.com/huggingface/safetensors#format
 */
import { quote, rejectModelFile } from '../models/file-error.ts';
import { readSafetensorsHeader, type SafetensorsDtype } from './safetensors-header.ts';
import { type Float32Tensor, isCounter, type Tensor, viewBytes } from './tensor.ts';

/** The data starts at a multiple of this, so that a memory-mapped file is aligned for every type. */
const ALIGNMENT = 8;
/** Size of the number at the start of the file, the length of the header. */
const LENGTH_BYTES = 8;

/** @param metadata strings by name; the format allows no other values */
export function safetensorsBytes(
  tensors: readonly Float32Tensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let dataBytes = 0;
  for (const { name, shape, data } of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [dataBytes, dataBytes + data.byteLength] };
    dataBytes += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  // The format lets spaces follow the JSON text.
  const headerBytes = Math.ceil((LENGTH_BYTES + json.length) / ALIGNMENT) * ALIGNMENT - LENGTH_BYTES;
  const dataStart = LENGTH_BYTES + headerBytes;
  const file = new Uint8Array(dataStart + dataBytes).fill(0x20, LENGTH_BYTES, dataStart);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.set(json, LENGTH_BYTES);
  let at = dataStart;
  for (const { data } of tensors) {
    file.set(viewBytes(data), at);
    at += data.byteLength;
  }
  return file;
}

/** @throws AtelierError `invalid-model-file` */
export function parseSafetensors(file: Uint8Array): {
  tensors: Tensor[];
  metadata: Readonly<Record<string, string>>;
} {
  const { entries, metadata } = readSafetensorsHeader(file);
  const kept = entries.filter(({ name }) => !isCounter(name));
  const tensors = kept.map(({ name, dtype, shape, start, end }) => {
    // Copied, because a typed array must start at a multiple of its element size, and a tensor in the file need not.
    const { buffer } = new Uint8Array(file.subarray(start, end));
    return { name, shape, data: decode(name, dtype, buffer) };
  });
  return { tensors, metadata };
}

function decode(name: string, dtype: SafetensorsDtype, buffer: ArrayBuffer): Tensor['data'] {
  if (dtype === 'F16') return new Float16Array(buffer);
  if (dtype === 'F32') return new Float32Array(buffer);
  if (dtype === 'F64') return new Float64Array(buffer);
  if (dtype === 'BF16') return widen(new Uint16Array(buffer));
  return rejectModelFile(`${quote(name)} has dtype ${dtype}; use F16, BF16, F32 or F64`);
}

/** A bfloat16 is the upper half of the float32 of the same value. */
function widen(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  return new Float32Array(bits.buffer);
}
