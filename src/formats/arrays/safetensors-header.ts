/** Strict parser of safetensors headers: every byte must belong to exactly one tensor. */
import { z } from 'zod';
import { quote, rejectModelFile, showShape } from '../models/file-error.ts';
import { MAX_TENSORS } from './tensor.ts';

const ITEM_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;
export type SafetensorsDtype = keyof typeof ITEM_BYTES;

export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** Range of its bytes in the file. */
  readonly start: number;
  readonly end: number;
}

const LENGTH_BYTES = 8;
/** The format allows 100 MB; names and class names take a few thousand bytes. */
const MAX_HEADER_BYTES = 2 ** 20;
const METADATA = '__metadata__';

const count = z.int().min(0);
const entrySchema = z.strictObject({
  dtype: z.enum(Object.keys(ITEM_BYTES) as SafetensorsDtype[]),
  shape: z.array(count).max(8),
  data_offsets: z.tuple([count, count]),
});
const metadataSchema = z.record(z.string(), z.string());

/** Returns the entries in header order. @throws AtelierError `invalid-model-file` */
export function readSafetensorsHeader(file: Uint8Array): {
  entries: SafetensorsEntry[];
  metadata: Readonly<Record<string, string>>;
} {
  const { json, dataStart } = readJson(file);
  const fields = Object.entries(json);
  if (fields.length > MAX_TENSORS + 1) {
    rejectModelFile(`its header lists ${fields.length} entries; the limit is ${MAX_TENSORS} tensors`);
  }
  const entries = fields.filter(([name]) => name !== METADATA).map((each) => readEntry(each, dataStart));
  checkCovered(entries, dataStart, file.length);
  const metadata = metadataSchema.safeParse(Object.hasOwn(json, METADATA) ? json[METADATA] : {});
  if (!metadata.success) rejectModelFile('the __metadata__ of its header must map names to strings');
  return { entries, metadata: metadata.data };
}

function readJson(file: Uint8Array): { json: Record<string, unknown>; dataStart: number } {
  if (file.length < LENGTH_BYTES) rejectModelFile(`it has ${file.length} bytes, too few for a header`);
  const declared = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (declared > MAX_HEADER_BYTES) {
    rejectModelFile(`its header has ${declared} bytes; the limit is ${MAX_HEADER_BYTES}`);
  }
  const dataStart = LENGTH_BYTES + Number(declared);
  if (dataStart > file.length) rejectModelFile('it ends within the header');
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(LENGTH_BYTES, dataStart));
    const json: unknown = JSON.parse(text);
    if (text.startsWith('{')) return { json: json as Record<string, unknown>, dataStart };
  } catch (cause) {
    rejectModelFile('its header is not JSON', cause);
  }
  return rejectModelFile('its header is not a JSON object');
}

function readEntry([name, value]: [string, unknown], dataStart: number): SafetensorsEntry {
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) {
    const [{ path }] = parsed.error.issues as [z.core.$ZodIssue];
    const at = path.length === 0 ? '' : ` at ${quote(path.join('.'))}`;
    rejectModelFile(
      `the header's entry ${quote(name)} is invalid${at}; it must have dtype, shape and data_offsets`,
    );
  }
  const { dtype, shape, data_offsets: offsets } = parsed.data;
  const bytes = shape.reduce((product, dimension) => product * dimension, ITEM_BYTES[dtype]);
  if (bytes !== offsets[1] - offsets[0]) {
    rejectModelFile(
      `${quote(name)} of ${dtype} and shape ${showShape(shape)} takes ${bytes} bytes, but its offsets are ${offsets.join(' to ')}`,
    );
  }
  return { name, dtype, shape, start: dataStart + offsets[0], end: dataStart + offsets[1] };
}

function checkCovered(entries: readonly SafetensorsEntry[], dataStart: number, fileBytes: number): void {
  let covered = dataStart;
  for (const { name, start, end } of entries.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (start < covered) rejectModelFile(`${quote(name)} overlaps another tensor`);
    if (start > covered)
      rejectModelFile(`${start - covered} bytes before ${quote(name)} do not belong to a tensor`);
    covered = end;
  }
  if (covered > fileBytes) {
    rejectModelFile(
      `its tensors take ${covered - dataStart} bytes, but the file has ${fileBytes - dataStart}`,
    );
  }
  if (covered < fileBytes)
    rejectModelFile(`${fileBytes - covered} bytes at its end do not belong to a tensor`);
}
