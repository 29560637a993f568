import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initializeUniformFanIn } from '../../src/numerics/initialize.ts';
import { unpack } from '../../src/numerics/network.ts';

const SIZES = [784, 40, 10];

test('weights fill ±1/√fan-in evenly and biases are 0.01', () => {
  for (const { inputs, weights, biases } of unpack(initializeUniformFanIn(SIZES, 3), SIZES)) {
    const scaled = weights.map((w) => w * Math.sqrt(inputs));
    const mean = scaled.reduce((sum, w) => sum + w, 0) / scaled.length;
    const variance = scaled.reduce((sum, w) => sum + w * w, 0) / scaled.length;
    assert.ok(scaled.every((w) => w >= -1 && w < 1));
    // five standard deviations of the mean and of the mean square of uniform numbers
    assert.ok(Math.abs(mean) < 5 * Math.sqrt(1 / 3 / scaled.length));
    assert.ok(Math.abs(variance - 1 / 3) < 5 * Math.sqrt(4 / 45 / scaled.length));
    assert.ok(biases.every((b) => b === 0.01));
  }
});

test('the same seed gives the same bits, another seed others', () => {
  assert.deepEqual(initializeUniformFanIn(SIZES, 3), initializeUniformFanIn(SIZES, 3));
  assert.notDeepEqual(initializeUniformFanIn(SIZES, 3), initializeUniformFanIn(SIZES, 4));
});

test('no two weights of a network share their random number', () => {
  const packed = initializeUniformFanIn([5, 5, 5, 5], 0);
  const weights = unpack(packed, [5, 5, 5, 5]).flatMap((layer) => [...layer.weights]);
  assert.equal(new Set(weights).size, 75);
});
