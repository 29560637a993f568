import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocks, parameterCount } from '../../../src/numerics/network/architecture.ts';
import { channelStandardizations, unpack, unpackWeights } from '../../../src/numerics/network/layers.ts';
import { dense } from '../../support/dense.ts';

test("the notebook's network has 31,810 parameters in the notebook's order", () => {
  assert.equal(parameterCount(dense([784, 40, 10])), 31_810);
  assert.deepEqual(blocks(dense([784, 40, 10])), [
    { name: 'W1', shape: [40, 784], start: 0, end: 31_360 },
    { name: 'b1', shape: [40], start: 31_360, end: 31_400 },
    { name: 'W2', shape: [10, 40], start: 31_400, end: 31_800 },
    { name: 'b2', shape: [10], start: 31_800, end: 31_810 },
  ]);
});

test('writing to a layer writes to the packed vector', () => {
  const packed = new Float32Array(parameterCount(dense([2, 3, 2])));
  const [first, second] = unpack(packed, dense([2, 3, 2]));
  first!.weights[1] = 1;
  first!.biases[2] = 2;
  second!.weights[0] = 3;
  second!.biases[1] = 4;
  assert.deepEqual([...packed], [0, 1, 0, 0, 0, 0, 0, 0, 2, 3, 0, 0, 0, 0, 0, 0, 4]);
});

test('rejects a vector of another length', () => {
  assert.throws(
    () => unpack(new Float64Array(16), dense([2, 3, 2])),
    new RangeError('A 2-3-2 network has 17 parameters, not 16.'),
  );
});

test('a standardization has one entry for all values, or one for each of three channels', () => {
  assert.deepEqual(channelStandardizations(null), [{ mean: 0, std: 1 }]);
  assert.deepEqual(channelStandardizations({ mean: 0.5, std: 0.25 }), [{ mean: 0.5, std: 0.25 }]);
  assert.deepEqual(channelStandardizations({ mean: [1, 2, 3], std: 0.25 }), [
    { mean: 1, std: 0.25 },
    { mean: 2, std: 0.25 },
    { mean: 3, std: 0.25 },
  ]);
});

test('penalties apply to kernels and weights, not to biases and norms', () => {
  const convolutional = {
    ...dense([16, 2]),
    inputShape: [4, 4] as const,
    convolutions: [[4]],
    norm: 'group' as const,
  };
  const weights = unpackWeights(new Float32Array(parameterCount(convolutional)), convolutional);
  // A kernel of 4 · 9 numbers, and 2 · 16 weights.
  assert.deepEqual(
    weights.map(({ length }) => length),
    [36, 32],
  );
});
