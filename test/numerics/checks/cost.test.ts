import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradientCheckCost } from '../../../src/numerics/checks/cost.ts';
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
