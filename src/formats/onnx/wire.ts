/** Reads protobuf messages without a schema, as far as ONNX needs it. */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { rejectModelFile } from '../models/file-error.ts';

/** A message; its fields are parsed, the messages in them are not. */
export interface Message {
  /** Values of each field in file order: numbers for varints and floats, else bytes (views, not copies). */
  readonly fields: ReadonlyMap<number, readonly (number | Uint8Array)[]>;
  readonly budget: FieldBudget;
}

/** Fields that may still be read from a file. A parsed field takes much more memory than its two bytes in the file. */
interface FieldBudget {
  left: number;
}

/** The service's exports have about 100; PyTorch's about 50 for each layer. */
const MAX_FIELDS = 50_000;

/** @throws AtelierError `invalid-model-file` */
export function parseMessage(bytes: Uint8Array, budget: FieldBudget = { left: MAX_FIELDS }): Message {
  const fields = new Map<number, (number | Uint8Array)[]>();
  const reader = new BinaryReader(bytes);
  try {
    while (reader.pos < reader.len && budget.left > 0) {
      budget.left--;
      const [field, wireType] = reader.tag();
      const value = fieldValue(reader, wireType);
      const values = fields.get(field);
      if (values) values.push(value);
      else fields.set(field, [value]);
    }
  } catch (cause) {
    rejectModelFile('it is not an ONNX file, or it is damaged', cause);
  }
  if (reader.pos < reader.len)
    rejectModelFile(`its graph has more than ${MAX_FIELDS} fields, too many for a network of 9 layers`);
  return { fields, budget };
}

function fieldValue(reader: BinaryReader, wireType: WireType): number | Uint8Array {
  if (wireType === WireType.Varint) return Number(reader.int64());
  if (wireType === WireType.Bit32) return reader.float();
  if (wireType === WireType.Bit64) return reader.double();
  if (wireType === WireType.LengthDelimited) return reader.bytes();
  throw new RangeError(`Wire type ${wireType} is not supported.`);
}

const isNumber = (value: unknown): value is number => typeof value === 'number';
const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;

function all<T>({ fields }: Message, field: number, isRight: (value: unknown) => value is T): T[] {
  return (fields.get(field) ?? []).map((value) =>
    isRight(value) ? value : rejectModelFile(`field ${field} of a message has the wrong type`),
  );
}

function optional<T>(message: Message, field: number, isRight: (value: unknown) => value is T): T | null {
  const [value, ...more] = all(message, field, isRight);
  return more.length > 0 ? rejectModelFile(`field ${field} of a message occurs twice`) : (value ?? null);
}

/** 0 if the field is missing, as protobuf omits zeros. */
export const readNumber = (message: Message, field: number) => optional(message, field, isNumber) ?? 0;
/** Empty if the field is missing. */
export const readText = (message: Message, field: number) => decodeText(readBytes(message, field));
export const readTexts = (message: Message, field: number) => all(message, field, isBytes).map(decodeText);
/** null if the field is missing. */
export const readBytes = (message: Message, field: number) => optional(message, field, isBytes);
/** An empty message if the field is missing. */
export const readMessage = (message: Message, field: number) =>
  parseMessage(readBytes(message, field) ?? new Uint8Array(0), message.budget);
export const readMessages = (message: Message, field: number) =>
  all(message, field, isBytes).map((bytes) => parseMessage(bytes, message.budget));

/** A repeated integer: one varint per field, or packed. @param limit of the length */
export function readIntegers(message: Message, field: number, limit: number): number[] {
  const found: number[] = [];
  for (const value of message.fields.get(field) ?? []) {
    for (const each of isNumber(value) ? [value] : unpackVarints(value, limit)) found.push(each);
  }
  if (found.length > limit) rejectModelFile(`field ${field} of a message has more than ${limit} numbers`);
  return found;
}

/** @returns at most one more than `limit` */
export function unpackVarints(bytes: Uint8Array, limit: number): number[] {
  const found: number[] = [];
  try {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len && found.length <= limit) found.push(Number(reader.int64()));
  } catch (cause) {
    rejectModelFile('it is not an ONNX file, or it is damaged', cause);
  }
  return found;
}

const decodeText = (bytes: Uint8Array | null) => (bytes === null ? '' : Buffer.from(bytes).toString());
