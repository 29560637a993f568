import assert from 'node:assert/strict';
import { test } from 'node:test';
import { continuing, plannedEpochs, rungEpochs, trialsWithin } from '../../../src/domain/searches/rungs.ts';

const halving = { factor: 3, minEpochs: 2 };

test('trials are compared after the first epochs, then after factor times as many, before the end', () => {
  assert.deepEqual(rungEpochs(halving, 20), [2, 6, 18, 20]);
  assert.deepEqual(rungEpochs(halving, 18), [2, 6, 18]);
  assert.deepEqual(rungEpochs(halving, 2), [2]);
  assert.deepEqual(rungEpochs(halving, 1), [1]);
  assert.deepEqual(rungEpochs(null, 20), [20]);
});

test('one of factor trials continues, rounded down, but at least one', () => {
  assert.deepEqual(
    [1, 2, 3, 5, 6, 11].map((trials) => continuing(trials, 3)),
    [1, 1, 1, 1, 2, 3],
  );
});

test('the planned epochs are those between the rungs, of the trials that reach them, and of all repeats', () => {
  // 7 trials to epoch 2, 2 from there to epoch 6, and 1 to epoch 10.
  const epochs = Array(7).fill(10);
  assert.equal(plannedEpochs(epochs, { halving, repeats: 1 }), 14 + 8 + 4);
  assert.equal(plannedEpochs(epochs, { halving, repeats: 2 }), 52);
  assert.equal(plannedEpochs([3, 4, 5], { halving: null, repeats: 2 }), 24);
  assert.equal(plannedEpochs([], { halving, repeats: 1 }), 0);
});

test('a budget allows the most first trials whose planned epochs it covers', () => {
  const options = { halving: null, repeats: 2 };
  for (const [budget, trials] of [
    [24, 3],
    [23, 2],
    [14, 2],
    [6, 1],
    [5, 0],
  ] as const) {
    assert.equal(trialsWithin(budget, [3, 4, 5], options), trials);
  }
});
