import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ELEMENT_TYPES, type OnnxModel } from '../../../src/formats/onnx/message.ts';
import { readOnnx } from '../../../src/formats/onnx/read.ts';
import { writeOnnx } from '../../../src/formats/onnx/write.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';

const MODEL: OnnxModel = {
  ...{ irVersion: 8, opset: 17, producerName: 'me', modelVersion: 3, metadata: {} },
  graph: {
    name: 'g',
    nodes: [
      {
        ...{ name: 'n', opType: 'Op', domain: '', inputs: ['a', ''], outputs: ['b'] },
        attributes: { f: { float: 0.5 }, i: { int: -1 }, l: { ints: [1, 2] } },
      },
    ],
    initializers: [],
    inputs: [{ name: 'a', elementType: 'float', shape: ['n', 4] }],
    outputs: [{ name: 'b', elementType: 'int64', shape: [] }],
  },
};

test('reads what is written', () => {
  assert.deepEqual(readOnnx(writeOnnx(MODEL)), MODEL);
});

test('a value of the metadata has at most 2²⁰ characters', () => {
  const read = (length: number) => readOnnx(writeOnnx({ ...MODEL, metadata: { a: 'x'.repeat(length) } }));
  assert.equal(read(1_048_576).metadata['a']!.length, 1_048_576);
  assert.throws(
    () => read(1_048_577),
    isAtelierError(
      'invalid-model-file',
      /its metadata has a value of 1048577 characters; the limit is 1048576/,
    ),
  );
});

test('the types of elements have the numbers of TensorProto.DataType', () => {
  assert.deepEqual(ELEMENT_TYPES, {
    ...{ float: 1, uint8: 2, int8: 3, uint16: 4, int16: 5, int32: 6, int64: 7 },
    ...{ float16: 10, double: 11, uint32: 12, uint64: 13 },
  });
});
