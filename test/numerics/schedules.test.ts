import assert from 'node:assert/strict';
import { test } from 'node:test';
import { learningRateAt } from '../../src/numerics/schedules.ts';

const length = { stepsPerEpoch: 2, steps: 1000 };

test('a constant rate stays', () => {
  assert.equal(learningRateAt({ type: 'constant' }, 0.1, 0, length, 1), 0.1);
  assert.equal(learningRateAt({ type: 'constant' }, 0.1, 999, length, 1), 0.1);
});

test('an exponential rate starts whole and is multiplied by the factor after every epoch', () => {
  const rates = [0, 1, 2, 3, 4, 5, 6].map((step) =>
    learningRateAt({ type: 'exponential', factor: 0.5 }, 0.8, step, length, 1),
  );
  assert.deepEqual(rates, [0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.1]);
});
