/** Reads the tensors of ONNX files. */

import type { Tensor } from '../arrays/tensor.ts';
import { quote, rejectModelFile, showShape } from '../models/file-error.ts';
import { ELEMENT_TYPES, type OnnxTensor, TENSOR } from './message.ts';
import { type Message, readBytes, readIntegers, readNumber, readText, unpackVarints } from './wire.ts';

const MAX_DIMENSIONS = 8;
const EXTERNAL = 1;
/** Limit of float16 numbers that are not raw: a 1,024 × 1,024 matrix. */
const MAX_HALVES = 2 ** 20;

/** @throws AtelierError `invalid-model-file` */
export function readOnnxTensor(tensor: Message): OnnxTensor {
  const name = readText(tensor, TENSOR.name);
  const dims = readIntegers(tensor, TENSOR.dims, MAX_DIMENSIONS);
  if (!dims.every((dimension) => dimension >= 0))
    rejectModelFile(`the tensor ${quote(name)} has a negative dimension`);
  if (readNumber(tensor, TENSOR.dataLocation) === EXTERNAL) {
    rejectModelFile(
      `the numbers of ${quote(name)} are in an external file; save them in the model, with onnx.save_model(onnx.load("model.onnx"), "one-file.onnx")`,
    );
  }
  const data = readData(tensor);
  const length = dims.reduce((product, dimension) => product * dimension, 1);
  if (data !== null && data.length !== length) {
    rejectModelFile(
      `the tensor ${quote(name)} of shape ${showShape(dims)} has ${data.length} numbers instead of ${length}`,
    );
  }
  return { name, dims, data };
}

/** Numbers are in `rawData`, or in a field for their type. */
function readData(tensor: Message): Tensor['data'] | null {
  const raw = readBytes(tensor, TENSOR.rawData);
  switch (readNumber(tensor, TENSOR.dataType)) {
    case ELEMENT_TYPES.float:
      return viewAs(Float32Array, raw ?? packed(tensor, TENSOR.floatData));
    case ELEMENT_TYPES.double:
      return viewAs(Float64Array, raw ?? packed(tensor, TENSOR.doubleData));
    case ELEMENT_TYPES.float16:
      return viewAs(Float16Array, raw ?? packedHalves(tensor));
    default:
      return null;
  }
}

function packed(tensor: Message, field: number): Uint8Array {
  if (tensor.fields.get(field)?.some((value) => typeof value === 'number'))
    rejectModelFile(`the numbers of ${quote(readText(tensor, TENSOR.name))} are not packed`);
  return readBytes(tensor, field) ?? new Uint8Array(0);
}

/** The bits of 16-bit floats are written as varints. These may be shorter than the parameters that they become. */
function packedHalves(tensor: Message): Uint8Array {
  const bits = unpackVarints(packed(tensor, TENSOR.int32Data), MAX_HALVES);
  if (bits.length > MAX_HALVES) {
    rejectModelFile(
      `${quote(readText(tensor, TENSOR.name))} has more than ${MAX_HALVES} 16-bit numbers outside of raw_data; write them with onnx.numpy_helper.from_array`,
    );
  }
  return new Uint8Array(Uint16Array.from(bits).buffer);
}

/** A view of the bytes if they are aligned, else a copy. */
function viewAs<T>(
  type: { new (buffer: ArrayBufferLike, offset: number, length: number): T; BYTES_PER_ELEMENT: number },
  bytes: Uint8Array,
): T {
  const size = type.BYTES_PER_ELEMENT;
  if (bytes.length % size !== 0)
    rejectModelFile(`a tensor has ${bytes.length} bytes, not a multiple of ${size}`);
  const { buffer, byteOffset } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new type(buffer, byteOffset, bytes.length / size);
}
