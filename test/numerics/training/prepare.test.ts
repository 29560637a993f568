import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareTraining } from '../../../src/numerics/training/prepare.ts';
import { dense } from '../../support/dense.ts';
import { planOf, stripes } from '../fixtures.ts';

const plan = planOf(dense([16, 3, 2]), { holdout: { fraction: 0.25 } });
const train = stripes(40, 16, 2, 1);

test('a training holds out its fraction, and measures the test split after each epoch by default', () => {
  const { split, testOnce, initial, test } = prepareTraining(plan, train, null);
  assert.deepEqual([split.train.length, split.validation.length], [30, 10]);
  assert.deepEqual([testOnce, test], [false, null]);
  // 16 · 3 + 3 + 3 · 2 + 2
  assert.equal(initial.length, 59);
  const initialParameters = new Float64Array(59);
  assert.equal(prepareTraining({ ...plan, initialParameters }, train, null).initial, initialParameters);
});

test('training and test images must match the network', () => {
  const wrong = stripes(4, 9, 2, 1);
  assert.throws(() => prepareTraining(plan, wrong, null), /4 images of 16 pixels cannot have 36 pixels/);
  assert.throws(() => prepareTraining(plan, train, wrong), /4 images of 16 pixels cannot have 36 pixels/);
  assert.doesNotThrow(() => prepareTraining(plan, train, train));
});
