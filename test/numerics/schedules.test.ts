import assert from 'node:assert/strict';
import { test } from 'node:test';
import { learningRateAt } from '../../src/numerics/schedules.ts';

test('a constant rate stays', () => {
  assert.equal(learningRateAt({ type: 'constant' }, 0.1, 1), 0.1);
  assert.equal(learningRateAt({ type: 'constant' }, 0.1, 500), 0.1);
});

test('an exponential rate starts whole and is multiplied by the factor after every epoch', () => {
  const rates = [1, 2, 3, 4].map((epoch) => learningRateAt({ type: 'exponential', factor: 0.5 }, 0.8, epoch));
  assert.deepEqual(rates, [0.8, 0.4, 0.2, 0.1]);
});
