import assert from 'node:assert/strict';
import { test } from 'node:test';
import { affordableCoordinates, gradientCheckCost } from '../../../src/numerics/checks/cost.ts';
import type { Architecture } from '../../../src/numerics/network/architecture.ts';
import { dense } from '../../support/dense.ts';

test('the cost of a coordinate counts the layers above it', () => {
  // Gradient 3 · (12 + 20); 16 of layer 1 move 5 logits, 25 of layer 2 none; 50 a softmax.
  assert.equal(gradientCheckCost(dense([3, 4, 5]), 1, 'forward', 41), 96 + 16 * 55 + 25 * 50);
  // One more layer: a coordinate of layer 1 also pays for the whole product above the next layer.
  const deep = 3 * (12 + 20 + 30) + 16 * (5 + 30 + 60) + 25 * (6 + 60) + 36 * 60;
  assert.equal(gradientCheckCost(dense([3, 4, 5, 6]), 1, 'forward', 77), deep);
});

test('the cost grows with examples, evaluations and coordinates, up to all of them', () => {
  const cost = (examples: number, scheme: 'central' | 'forward', coordinates: number) =>
    gradientCheckCost(dense([784, 40, 10]), examples, scheme, coordinates);
  const gradient = 3 * 31_760;
  assert.equal(cost(7, 'forward', 31_810), 7 * cost(1, 'forward', 31_810));
  assert.equal(cost(1, 'central', 31_810) - gradient, 2 * (cost(1, 'forward', 31_810) - gradient));
  assert.equal(cost(1, 'forward', 10_000_000), cost(1, 'forward', 31_810));
  assert.ok(cost(1, 'forward', 100) < cost(1, 'forward', 1000));
});

const convolutional = (stages: number[][], inputShape: [number, number] = [8, 8]) =>
  ({ inputShape, convolutions: stages, norm: 'none', hidden: [], classes: 2 }) as const;

test('a coordinate of a convolution costs everything above it', () => {
  // 36 weights of K1 and 4 biases: values of the convolution and the pooling, both 20 each, the classes, two exponentials.
  const above = 20 * (4 * 64 + 4 * 16) + 2 * 64;
  // 128 weights of W1 and two biases: two exponentials.
  const all = 40 * (above + 20) + 130 * 20;
  assert.equal(gradientCheckCost(convolutional([[4]]), 1, 'forward', 170), 3 * (9 * 256 + 128) + all);
});

test('without convolutions, all coordinates are affordable; with them, as many as the limit allows, at least one of each block', () => {
  const choose = (architecture: Architecture, limit: number) =>
    affordableCoordinates(architecture, 5, 'central', 100, limit);
  assert.equal(choose(dense([784, 40, 10]), 1), 'all');
  const network = convolutional([[4], [8, 8]], [28, 28]);
  assert.deepEqual(choose(network, 1e12), { sample: 100 });
  assert.deepEqual(choose(network, 1), { sample: 8 });
  const { sample } = choose(network, 1e8) as { sample: number };
  assert.ok(sample < 100 && sample > 8 && gradientCheckCost(network, 5, 'central', sample) <= 1e8);
});
