import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type EarlyStopping,
  INITIAL_STOPPING,
  type StoppingState,
  updateStopping,
} from '../../../src/numerics/training/early-stopping.ts';

const rules: EarlyStopping = { monitor: 'validationLoss', patience: 2, minDelta: 0, restoreBest: true };

/** The stopping state after each epoch, for the given values of the monitored metric. */
function states(values: number[], changes: Partial<EarlyStopping> = {}): StoppingState[] {
  const all = { ...rules, ...changes };
  let state = INITIAL_STOPPING;
  return values.map((value, i) => {
    const other = { validationLoss: null, validationAccuracy: null };
    state = updateStopping(state, all, i + 1, { ...other, [all.monitor]: value });
    return state;
  });
}

const badEpochs = (...args: Parameters<typeof states>) => states(...args).map((state) => state.badEpochs);
const bestEpochs = (...args: Parameters<typeof states>) => states(...args).map((state) => state.bestEpoch);

test('counts epochs since the last improvement', () => {
  assert.deepEqual(badEpochs([3, 2, 2, 2.5, 1, 1.5]), [0, 0, 1, 2, 0, 1]);
});

test('a loss improves by decreasing, an accuracy by increasing', () => {
  assert.deepEqual(bestEpochs([3, 2, 4, 1]), [1, 2, 2, 4]);
  assert.deepEqual(bestEpochs([3, 2, 4, 1], { monitor: 'validationAccuracy' }), [1, 1, 3, 3]);
});

test('an improvement up to minDelta is ignored, but small ones add up', () => {
  assert.deepEqual(badEpochs([1, 0.75, 0.5, 0.25], { minDelta: 0.25 }), [0, 1, 0, 1]);
});

test('the best epoch has the best value, even by less than minDelta, and is the first of equals', () => {
  assert.deepEqual(bestEpochs([1, 0.9, 0.9, 0.95], { minDelta: 0.5 }), [1, 2, 2, 2]);
});

test('NaN and missing values are not improvements', () => {
  assert.deepEqual(badEpochs([Number.NaN, 1, Number.NaN]), [1, 0, 1]);
  const nothing = { validationLoss: null, validationAccuracy: null };
  assert.equal(updateStopping(INITIAL_STOPPING, rules, 1, nothing).bestEpoch, null);
});
