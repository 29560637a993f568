import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bestTrial, countTrials, describeBest, OBJECTIVES } from '../../../src/charts/searches/trials.ts';

const trials = (...values: readonly (number | null)[]) =>
  values.map((value, i) => ({ number: i + 1, value }));
const { validationLoss: loss, validationAccuracy: accuracy } = OBJECTIVES;

test('of equal trials the first is the best', () => {
  assert.equal(bestTrial(trials(0.5, 0.25, 0.25), loss)!.number, 2);
  assert.equal(bestTrial(trials(0.5, 0.75, 0.75), accuracy)!.number, 2);
  assert.equal(bestTrial(trials(null, Number.POSITIVE_INFINITY), accuracy), null);
});

test('trials without a value are counted', () => {
  const describe = (...values: readonly (number | null)[]) =>
    describeBest(trials(...values), bestTrial(trials(...values), loss), loss);
  assert.equal(describe(null, null), 'None of 2 trials has a value.');
  assert.equal(
    describe(1, null, null),
    'The best of 1 trial is trial 1: Validation loss (nats) 1. 2 trials have no value.',
  );
  assert.deepEqual([0, 1, 2].map(countTrials), ['0 trials', '1 trial', '2 trials']);
});
