/** Messages and tensors as protobuf has them: https://protobuf.dev/programming-guides/encoding */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { ELEMENT_TYPES, TENSOR } from '../../../src/formats/onnx/message.ts';
import { readOnnxTensor } from '../../../src/formats/onnx/tensor.ts';
import {
  parseMessage,
  readBytes,
  readIntegers,
  readMessage,
  readMessages,
  readNumber,
  readText,
  readTexts,
  unpackVarints,
} from '../../../src/formats/onnx/wire.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';

/** A message of numbers as varints, of bytes and of texts. */
function encode(
  fields: readonly (readonly [field: number, value: number | Uint8Array | string])[],
): Uint8Array {
  const writer = new BinaryWriter();
  for (const [field, value] of fields) {
    if (typeof value === 'number') writer.tag(field, WireType.Varint).int64(value);
    else
      writer
        .tag(field, WireType.LengthDelimited)
        .bytes(typeof value === 'string' ? Buffer.from(value) : value);
  }
  return writer.finish();
}
const parse = (...fields: Parameters<typeof encode>[0]) => parseMessage(encode(fields));
const packed = (...numbers: readonly number[]) => {
  const writer = new BinaryWriter();
  for (const number of numbers) writer.int64(number);
  return writer.finish();
};
const refusal = (read: () => unknown, message: RegExp) =>
  assert.throws(read, isAtelierError('invalid-model-file', message));

test('reads every type of field, and missing ones as protobuf omits them', () => {
  const bytes = new BinaryWriter()
    .tag(1, WireType.Bit32)
    .float(0.5)
    .tag(2, WireType.Bit64)
    .double(0.1)
    .tag(3, WireType.Varint)
    .int64(-5)
    .tag(4, WireType.LengthDelimited)
    .bytes(Buffer.from('é'))
    .finish();
  const message = parseMessage(bytes);
  assert.deepEqual(
    [1, 2, 3, 9].map((field) => readNumber(message, field)),
    [0.5, 0.1, -5, 0],
  );
  assert.deepEqual([readText(message, 4), readText(message, 9), readBytes(message, 9)], ['é', '', null]);
  assert.deepEqual(readMessage(message, 9).fields, new Map());
});

test('reads repeated fields in order', () => {
  const message = parse([1, 'a'], [2, 7], [1, 'b'], [3, encode([[5, 6]])], [3, encode([])]);
  assert.deepEqual(readTexts(message, 1), ['a', 'b']);
  assert.deepEqual(
    readMessages(message, 3).map((each) => readNumber(each, 5)),
    [6, 0],
  );
});

test('rejects fields of another type, or that occur twice', () => {
  refusal(() => readNumber(parse([1, 'a']), 1), /field 1 of a message has the wrong type/);
  refusal(() => readTexts(parse([1, 5]), 1), /field 1 of a message has the wrong type/);
  refusal(() => readNumber(parse([1, 5], [1, 6]), 1), /field 1 of a message occurs twice/);
  refusal(() => parseMessage(Uint8Array.of(0x0b)), /it is not an ONNX file, or it is damaged/);
  refusal(() => parseMessage(Uint8Array.of(0x0a, 5, 1)), /it is not an ONNX file, or it is damaged/);
});

test('integers are single or packed, up to a limit', () => {
  const message = parse([1, 5], [1, packed(6, -7)], [1, 8]);
  assert.deepEqual(readIntegers(message, 1, 4), [5, 6, -7, 8]);
  refusal(() => readIntegers(message, 1, 3), /field 1 of a message has more than 3 numbers/);
  assert.deepEqual(unpackVarints(packed(1, 2, 3, 4), 2), [1, 2, 3]);
  refusal(() => unpackVarints(Uint8Array.of(0x80), 2), /damaged/);
});

test('all messages of a file share a limit of fields', () => {
  const many = (count: number) => encode(new Array(count).fill([1, 0]));
  assert.equal(parseMessage(many(50_000)).fields.get(1)!.length, 50_000);
  const limit = /its graph has more than 50000 fields, too many for a network of 9 layers/;
  refusal(() => parseMessage(many(50_001)), limit);
  const nested = parse([2, many(30_000)], [2, many(30_000)]);
  refusal(() => readMessages(nested, 2), limit);
});

const { float, double, float16, int64 } = ELEMENT_TYPES;
const read = (type: number, dims: readonly number[], ...rest: Parameters<typeof encode>[0]) =>
  readOnnxTensor(
    parse(
      [TENSOR.name, 'W'],
      [TENSOR.dataType, type],
      ...dims.map((size) => [TENSOR.dims, size] as const),
      ...rest,
    ),
  );
const bytesOf = (array: Float32Array | Float64Array | Float16Array) => new Uint8Array(array.buffer);

test('numbers are raw, or in the field of their type', () => {
  const [floats, doubles, halves] = [
    Float32Array.of(1.5, -2),
    Float64Array.of(0.1, 7),
    Float16Array.of(0.5, -3),
  ];
  for (const [type, field, data, bytes] of [
    [float, TENSOR.rawData, floats, bytesOf(floats)],
    [float, TENSOR.floatData, floats, bytesOf(floats)],
    [double, TENSOR.rawData, doubles, bytesOf(doubles)],
    [double, TENSOR.doubleData, doubles, bytesOf(doubles)],
    [float16, TENSOR.rawData, halves, bytesOf(halves)],
    // IEEE 754: 0.5 is 0x3800, −3 is 0xc200.
    [float16, TENSOR.int32Data, halves, packed(0x3800, 0xc200)],
  ] as const)
    assert.deepEqual(read(type, [2, 1], [field, bytes]), { name: 'W', dims: [2, 1], data });
  assert.deepEqual(read(int64, [2]), { name: 'W', dims: [2], data: null });
  assert.deepEqual(read(float, [0]).data, new Float32Array(0));
});

for (const [defect, tensor, message] of [
  [
    'is in an external file',
    () => read(float, [1], [TENSOR.dataLocation, 1]),
    /the numbers of "W" are in an external file; save them in the model, with onnx\.save_model/,
  ],
  ['has a negative dimension', () => read(float, [-1, -1]), /the tensor "W" has a negative dimension/],
  [
    'has nine dimensions',
    () => read(float, new Array(9).fill(1)),
    /field 1 of a message has more than 8 numbers/,
  ],
  [
    'lacks numbers',
    () => read(float, [2, 2], [TENSOR.rawData, bytesOf(Float32Array.of(1, 2, 3))]),
    /the tensor "W" of shape \(2, 2\) has 3 numbers instead of 4/,
  ],
  [
    'has a part of a number',
    () => read(double, [1], [TENSOR.rawData, new Uint8Array(9)]),
    /a tensor has 9 bytes, not a multiple of 8/,
  ],
  ['is not packed', () => read(float, [1], [TENSOR.floatData, 5]), /the numbers of "W" are not packed/],
  [
    'has too many numbers of 16 bits that are not raw',
    () => read(float16, [2 ** 20 + 1], [TENSOR.int32Data, new Uint8Array(2 ** 20 + 1)]),
    /"W" has more than 1048576 16-bit numbers outside of raw_data/,
  ],
] as const) {
  test(`rejects a tensor that ${defect}`, () => refusal(tensor, message));
}

test('2²⁰ numbers of 16 bits need not be raw', () => {
  assert.equal(read(float16, [2 ** 20], [TENSOR.int32Data, new Uint8Array(2 ** 20)]).data!.length, 2 ** 20);
});

test('types of elements are those of TensorProto.DataType in onnx.proto', () => {
  const { float, uint8, int8, uint16, int16, int32, int64, float16, double, uint32, uint64 } = ELEMENT_TYPES;
  assert.deepEqual([float, uint8, int8, uint16, int16, int32, int64], [1, 2, 3, 4, 5, 6, 7]);
  // 8 are texts and 9 truth values, which no tensor of a network has.
  assert.deepEqual([float16, double, uint32, uint64], [10, 11, 12, 13]);
});
