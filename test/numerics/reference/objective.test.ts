import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createComputeGradient } from '../../../src/numerics/reference/objective.ts';
import { dense } from '../../support/dense.ts';
import {
  assertBlocksNear,
  assertNear,
  at,
  examplesOf,
  firstIndices,
  networks,
  scipyFixture,
  settingsOf,
} from '../fixtures.ts';

for (const fixture of networks) {
  test(`loss and every gradient block agree with NumPy: ${fixture.name}`, () => {
    const { sizes, l2, labels } = fixture;
    const gradient = new Float64Array(fixture.gradient.length).fill(7);
    const compute = createComputeGradient(
      gradient,
      Float64Array.from(fixture.parameters),
      settingsOf(dense(sizes), { l2 }),
    );
    const sums = { loss: 0, correct: 0 };
    // Computes twice, because earlier content of the buffers must not matter.
    for (let time = 0; time < 2; time++)
      compute(sums, examplesOf(fixture), firstIndices(labels.length), at(0));
    assertNear([sums.loss / labels.length], [fixture.loss], 1e-12, 'loss');
    assert.equal(sums.correct, fixture.correct);
    assertBlocksNear(gradient, fixture.gradient, dense(sizes), 1e-12);
  });
}

test('the 784-40-10 gradient agrees with NumPy in every block', () => {
  const { sizes, examples, parameters, analytic, loss } = scipyFixture();
  const gradient = new Float64Array(parameters.length);
  const sums = { loss: 0, correct: 0 };
  createComputeGradient(gradient, parameters, settingsOf(dense(sizes)))(
    sums,
    examples,
    firstIndices(5),
    at(0),
  );
  assertNear([sums.loss / 5], [loss], 1e-12, 'loss');
  assertBlocksNear(gradient, analytic, dense(sizes), 1e-12);
});

test('the derivative of ReLU at exactly zero is zero', () => {
  // One pixel, one hidden unit whose pre-activation 1 · 1 − 1 is exactly 0.
  const sizes = [1, 1, 2];
  const parameters = Float64Array.of(1, -1, 3, -3, 0, 0);
  const gradient = new Float64Array(6);
  const examples = { pixels: Uint8Array.of(255), labels: Uint8Array.of(0) };
  createComputeGradient(gradient, parameters, settingsOf(dense(sizes)))(
    { loss: 0, correct: 0 },
    examples,
    firstIndices(1),
    at(0),
  );
  assert.deepEqual([...gradient], [0, 0, 0, 0, -0.5, 0.5]);
});

test('L2 decays weights but not biases', () => {
  const sizes = [2, 2];
  const parameters = Float64Array.of(1, 2, 3, 4, 5, 6);
  const examples = { pixels: Uint8Array.of(0, 0), labels: Uint8Array.of(0) };
  const [plain, decayed] = [new Float64Array(6), new Float64Array(6)];
  for (const [gradient, l2] of [
    [plain, 0],
    [decayed, 0.5],
  ] as const) {
    createComputeGradient(gradient, parameters, settingsOf(dense(sizes), { l2 }))(
      { loss: 0, correct: 0 },
      examples,
      firstIndices(1),
      at(0),
    );
  }
  assert.deepEqual([...decayed.map((g, i) => g - plain[i]!)], [0.5, 1, 1.5, 2, 0, 0]);
});

test('the derivative of leaky ReLU at exactly zero is the slope of its left side', () => {
  const parameters = Float64Array.of(1, -1, 3, -3, 0, 0);
  const gradient = new Float64Array(6);
  const examples = { pixels: Uint8Array.of(255), labels: Uint8Array.of(0) };
  const settings = settingsOf(dense([1, 1, 2]), { activation: 'leaky-relu' });
  createComputeGradient(gradient, parameters, settings)(
    { loss: 0, correct: 0 },
    examples,
    firstIndices(1),
    at(0),
  );
  assertNear(gradient.subarray(0, 2), [-0.03, -0.03], 1e-15, 'W1 and b1');
});

test('L1 does not move a weight of exactly zero', () => {
  const gradients = [0, 0.5].map((l1) => {
    const gradient = new Float64Array(6);
    const examples = { pixels: Uint8Array.of(0, 0), labels: Uint8Array.of(0) };
    const parameters = Float64Array.of(0, 2, -3, -0, 5, 6);
    createComputeGradient(gradient, parameters, settingsOf(dense([2, 2]), { l1 }))(
      { loss: 0, correct: 0 },
      examples,
      firstIndices(1),
      at(0),
    );
    return gradient;
  });
  assert.deepEqual([...gradients[1]!.map((g, i) => g - gradients[0]![i]! + 0)], [0, 0.5, -0.5, 0, 0, 0]);
});

test('class weights and smoothing do not affect the reported loss', () => {
  const { sizes, parameters, labels, loss } = networks[1]!;
  const gradient = new Float64Array(parameters.length);
  const sums = { loss: 0, correct: 0 };
  const classWeights = Float64Array.of(2, 3, 0, 5);
  const settings = settingsOf(dense(sizes), { classWeights, labelSmoothing: 0.2, l1: 1, l2: 1 });
  const compute = createComputeGradient(gradient, Float64Array.from(parameters), settings);
  compute(sums, examplesOf(networks[1]!), firstIndices(labels.length), at(0));
  assertNear([sums.loss / labels.length], [loss], 1e-12, 'loss');
});
