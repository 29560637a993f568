import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitTemperature, temperedProbabilities } from '../../../src/numerics/calibration/temperature.ts';
import { assertNear } from '../fixtures.ts';
import { readFixture, type TemperatureFixture } from './fixtures.ts';

const cases = readFixture<TemperatureFixture[]>('temperature.json');

test("finds SciPy's temperature and losses, also at the bounds", () => {
  for (const { logits, labels, temperature, before, after } of cases) {
    const fitted = fitTemperature(Float32Array.from(logits), Uint8Array.from(labels), 4);
    assertNear([fitted.temperature], [temperature], 1e-6, 'temperature');
    assertNear([fitted.loss.before, fitted.loss.after], [before, after], 1e-9, 'losses');
  }
});

test('divides the logits before the softmax', () => {
  const probabilities = temperedProbabilities(Float32Array.of(0, 2 * Math.log(3), 1000, 0), 2, 2);
  assertNear(probabilities, [0.25, 0.75, 1, 0], 1e-7, 'probabilities');
});

test('leaves the order of the classes as it is', () => {
  const { logits } = cases[0]!;
  const order = (row: Float32Array) => [...row.keys()].sort((a, b) => row[b]! - row[a]!);
  const plain = Float32Array.from(logits);
  const tempered = temperedProbabilities(plain, 4, 3);
  for (let at = 0; at < plain.length; at += 4)
    assert.deepEqual(order(tempered.subarray(at, at + 4)), order(plain.subarray(at, at + 4)));
});

/** Two classes with logits 0 and `logit`; of twenty images, `right` have the label of the second class. */
const fitOf = (logit: number, right: number) =>
  fitTemperature(
    Float32Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 0 : logit)),
    Uint8Array.from({ length: 20 }, (_, n) => (n < right ? 1 : 0)),
    2,
  ).temperature;

test('the temperature has nearly all digits, also where a step of Newton leaves the bounds', () => {
  // The probability is the frequency if exp(logit / T) = right / wrong.
  assertNear([fitOf(1, 15)], [1 / Math.log(3)], 1e-13, 'near 1');
  assertNear([fitOf(16, 18)], [16 / Math.log(9)], 1e-13, 'of a network that is certain');
  assertNear([fitOf(0.25, 16)], [0.25 / Math.log(4)], 1e-13, 'of a network that is unsure');
});

test('without a slope, because all classes have the same logit, the temperature is the lowest', () => {
  assert.equal(fitOf(0, 10), 0.1);
});

test('the temperature is 10 if no image has the class of the larger logit, and 0.1 if all have it', () => {
  assert.deepEqual([fitOf(1, 0), fitOf(1, 20)], [10, 0.1]);
});
