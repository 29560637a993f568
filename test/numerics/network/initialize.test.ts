import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Architecture, blocks } from '../../../src/numerics/network/architecture.ts';
import {
  INITIALIZATIONS,
  initialize,
  initializeUniformFanIn,
} from '../../../src/numerics/network/initialize.ts';
import { unpack } from '../../../src/numerics/network/layers.ts';
import { dense } from '../../support/dense.ts';

const SIZES = [784, 40, 10];

test('weights fill ±1/√fan-in evenly and biases are 0.01', () => {
  for (const { inputs, weights, biases } of unpack(initializeUniformFanIn(dense(SIZES), 3), dense(SIZES))) {
    const scaled = weights.map((w) => w * Math.sqrt(inputs));
    const mean = scaled.reduce((sum, w) => sum + w, 0) / scaled.length;
    const variance = scaled.reduce((sum, w) => sum + w * w, 0) / scaled.length;
    assert.ok(scaled.every((w) => w >= -1 && w < 1));
    // The bounds are five standard deviations of the mean and of the mean square of uniform numbers.
    assert.ok(Math.abs(mean) < 5 * Math.sqrt(1 / 3 / scaled.length));
    assert.ok(Math.abs(variance - 1 / 3) < 5 * Math.sqrt(4 / 45 / scaled.length));
    assert.ok(biases.every((b) => b === 0.01));
  }
});

/** Mean and standard deviation. */
function statistics(values: Float64Array): { mean: number; deviation: number } {
  const mean = values.reduce((sum, w) => sum + w, 0) / values.length;
  const squares = values.reduce((sum, w) => sum + (w - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / values.length) };
}

test('he: weights are normal with deviation √(2 / fan-in), biases 0', () => {
  for (const { inputs, weights, biases } of unpack(
    initialize('he', dense([784, 60, 50]), 3),
    dense([784, 60, 50]),
  )) {
    const scaled = weights.map((w) => w / Math.sqrt(2 / inputs));
    const { mean, deviation } = statistics(scaled);
    const n = scaled.length;
    assert.ok(Math.abs(mean) < 5 / Math.sqrt(n), `${mean}`);
    assert.ok(Math.abs(deviation - 1) < 5 / Math.sqrt(2 * n), `${deviation}`);
    // Fractions of the normal distribution within 1, 2 and 3 deviations.
    for (const [bound, share] of [
      [1, 0.6827],
      [2, 0.9545],
      [3, 0.9973],
    ] as const) {
      const within = scaled.filter((w) => Math.abs(w) < bound).length / n;
      assert.ok(Math.abs(within - share) < 5 * Math.sqrt((share * (1 - share)) / n), `${within} in ${bound}`);
    }
    const neighbours = scaled.reduce((sum, w, i) => sum + w * (scaled[i + 1] ?? 0), 0) / n;
    assert.ok(Math.abs(neighbours) < 5 / Math.sqrt(n), 'neighbours are not correlated');
    assert.ok(biases.every((b) => b === 0));
  }
});

test('glorot: weights fill ±√(6 / (fan-in + fan-out)) evenly, biases 0', () => {
  const architecture = dense([784, 60, 50]);
  for (const { inputs, outputs, weights, biases } of unpack(
    initialize('glorot', architecture, 3),
    architecture,
  )) {
    const scaled = weights.map((w) => w / Math.sqrt(6 / (inputs + outputs)));
    const { mean, deviation } = statistics(scaled);
    assert.ok(scaled.every((w) => w >= -1 && w < 1));
    assert.ok(Math.abs(mean) < 5 * Math.sqrt(1 / 3 / scaled.length));
    assert.ok(Math.abs(deviation ** 2 - 1 / 3) < 5 * Math.sqrt(4 / 45 / scaled.length));
    assert.ok(biases.every((b) => b === 0));
  }
});

test('every initialization is a function of its seed, and all differ', () => {
  const all = (['uniform-fan-in', 'he', 'glorot'] as const).map((how) => {
    assert.deepEqual(initialize(how, dense(SIZES), 3), initialize(how, dense(SIZES), 3));
    assert.notDeepEqual(initialize(how, dense(SIZES), 3), initialize(how, dense(SIZES), 4));
    return initialize(how, dense(SIZES), 3)[0];
  });
  assert.equal(new Set(all).size, 3);
  assert.deepEqual(initialize('uniform-fan-in', dense(SIZES), 3), initializeUniformFanIn(dense(SIZES), 3));
});

test('the same seed gives the same bits, another seed different ones', () => {
  assert.deepEqual(initializeUniformFanIn(dense(SIZES), 3), initializeUniformFanIn(dense(SIZES), 3));
  assert.notDeepEqual(initializeUniformFanIn(dense(SIZES), 3), initializeUniformFanIn(dense(SIZES), 4));
});

test('no two weights of a network share their random number', () => {
  const packed = initializeUniformFanIn(dense([5, 5, 5, 5]), 0);
  const weights = unpack(packed, dense([5, 5, 5, 5])).flatMap((layer) => [...layer.weights]);
  assert.equal(new Set(weights).size, 75);
});

test('kernels are scaled by 9 times the channels, biases are like those of other layers, norms are the identity', () => {
  const architecture: Architecture = {
    inputShape: [8, 8, 3],
    convolutions: [[16, 12]],
    norm: 'group',
    hidden: [5],
    classes: 4,
  };
  const scales = {
    'uniform-fan-in': (fanIn: number) => 1 / Math.sqrt(3 * fanIn),
    he: (fanIn: number) => Math.sqrt(2 / fanIn),
    glorot: (fanIn: number, fanOut: number) => Math.sqrt(2 / (fanIn + fanOut)),
  };
  const fans: Record<string, [fanIn: number, fanOut: number]> = {
    K1: [27, 144],
    K2: [144, 108],
    W1: [192, 5],
    W2: [5, 4],
  };
  for (const how of INITIALIZATIONS) {
    const packed = initialize(how, architecture, 6);
    for (const { name, start, end } of blocks(architecture)) {
      const values = packed.subarray(start, end);
      const fan = fans[name];
      if (fan === undefined) {
        const bias = how === 'uniform-fan-in' ? 0.01 : 0;
        const constant = { gamma: 1, beta: 0, c: bias, b: bias }[name.replace(/\d/, '')];
        assert.deepEqual([...new Set(values)], [constant], `${how} ${name}`);
        continue;
      }
      const { mean, deviation } = statistics(values);
      const expected = scales[how](...fan);
      assert.ok(Math.abs(mean) < (5 * expected) / Math.sqrt(values.length), `${how} ${name}: mean ${mean}`);
      const tolerance = 5 / Math.sqrt(2 * values.length);
      assert.ok(Math.abs(deviation / expected - 1) < tolerance, `${how} ${name}: deviation ${deviation}`);
    }
  }
});
