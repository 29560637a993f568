import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  describeExplanation,
  explanationQuerySchema,
  explanationSchema,
} from '../../../src/domain/predictions/explanation.ts';

test('shows maps as rows of the image, with the explained and the most probable class', () => {
  const map = Float64Array.from({ length: 784 }, (_, i) => i / 784);
  const shown = describeExplanation({ name: 'shapes', version: 2 }, ['round', 'square'], {
    label: 0,
    predicted: 1,
    probabilities: [0.25, 0.75],
    occlusion: map,
    gradient: map.map((value) => -value),
    width: 28,
  });
  assert.deepEqual(
    [shown.label, shown.className, shown.probability, shown.predicted],
    [0, 'round', 0.25, { label: 1, className: 'square', probability: 0.75 }],
  );
  assert.equal(shown.occlusion.map[1]![2], 30 / 784);
  assert.equal(shown.gradient.map[27]![27], -783 / 784);
});

test('values that overflow become null, since JSON has no NaN', () => {
  const shown = describeExplanation({ name: 'shapes', version: 2 }, ['round', 'square'], {
    label: 0,
    predicted: 0,
    probabilities: [Number.NaN, Number.NaN],
    occlusion: new Float64Array(784).fill(Number.NaN),
    gradient: new Float64Array(784).fill(Number.POSITIVE_INFINITY),
    width: 28,
  });
  assert.deepEqual(
    [shown.probability, shown.occlusion.map[0]![0], shown.gradient.map[0]![0]],
    [null, null, null],
  );
  assert.deepEqual(explanationSchema.parse(shown), shown);
});

test('a query may name a class by its number', () => {
  assert.deepEqual(explanationQuerySchema.parse({ label: '3' }), { label: 3, diagnose: false });
  assert.deepEqual(explanationQuerySchema.parse({}), { diagnose: false });
  for (const label of ['-1', '1.5', 'square', '']) {
    assert.equal(explanationQuerySchema.safeParse({ label }).success, false, label);
  }
});
