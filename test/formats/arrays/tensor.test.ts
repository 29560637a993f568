import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isConvolution,
  isCounter,
  layerTensors,
  MAX_TENSORS,
  viewBytes,
} from '../../../src/formats/arrays/tensor.ts';
import { dense } from '../../support/dense.ts';

test('a layer of weights with four dimensions is a convolution', () => {
  const layer = (...shape: number[]) => ({
    ...{ weights: { name: 'W', shape, data: new Float32Array(1) }, biases: null, transposed: false },
  });
  assert.deepEqual(
    [isConvolution(layer(1, 1, 1, 1)), isConvolution(layer(1, 1)), isConvolution(layer(1, 1, 1))],
    [true, false, false],
  );
});

test('the counter of a batch normalization is known by the end of its name', () => {
  for (const [name, isOne] of [
    ['num_batches_tracked', true],
    ['features.1.num_batches_tracked', true],
    ['my_num_batches_tracked', false],
    ['num_batches_tracked.weight', false],
  ] as const)
    assert.equal(isCounter(name), isOne, name);
});

test('the tensors of a packed vector are views of it, and their bytes are little-endian', () => {
  const parameters = Float32Array.from({ length: 785 * 2 }, (_, n) => n);
  const [weights, biases, ...more] = layerTensors(dense([784, 2]), parameters);
  assert.deepEqual(
    [weights!.name, weights!.shape, biases!.name, biases!.shape, more],
    ['W1', [2, 784], 'b1', [2], []],
  );
  assert.deepEqual(biases!.data, Float32Array.of(1568, 1569));
  assert.equal(biases!.data.buffer, parameters.buffer);
  // 1569 is 1.5322265625 · 2¹⁰.
  assert.deepEqual([...viewBytes(biases!.data)], [0, 0, 0xc4, 0x44, 0, 0x20, 0xc4, 0x44]);
  assert.equal(MAX_TENSORS, 128);
});
