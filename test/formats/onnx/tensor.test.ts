import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOnnx } from '../../../src/formats/onnx/read.ts';
import { writeOnnx } from '../../../src/formats/onnx/write.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';

/** Writes and reads an initializer. */
function read(dims: readonly number[], data: Float32Array) {
  const initializers = [{ name: 't', dims, data }];
  const graph = { name: 'g', nodes: [], initializers, inputs: [], outputs: [] };
  const model = { irVersion: 8, opset: 17, producerName: '', modelVersion: 0, metadata: {}, graph };
  return readOnnx(writeOnnx(model)).graph.initializers[0]!;
}

test('a dimension may be zero, but not negative', () => {
  assert.deepEqual(read([0, 2], new Float32Array(0)), { name: 't', dims: [0, 2], data: new Float32Array(0) });
  assert.throws(
    () => read([-1], new Float32Array(1)),
    isAtelierError('invalid-model-file', /the tensor "t" has a negative dimension/),
  );
});

test('a tensor has the numbers of its shape, and one without dimensions has one', () => {
  assert.deepEqual(read([], Float32Array.of(7)).data, Float32Array.of(7));
  assert.deepEqual(read([2, 1], Float32Array.of(7, 8)).data, Float32Array.of(7, 8));
  assert.throws(
    () => read([2, 2], Float32Array.of(7, 8)),
    isAtelierError('invalid-model-file', /the tensor "t" of shape \(2, 2\) has 2 numbers instead of 4/),
  );
  assert.doesNotThrow(() => read(new Array(8).fill(1), Float32Array.of(7)));
  assert.throws(() => read(new Array(9).fill(1), Float32Array.of(7)), isAtelierError('invalid-model-file'));
});
