import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportModel } from '../../../src/formats/models/export.ts';
import { importChecked } from '../../../src/workers/tasks/import.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { modelOf } from '../../formats/fixtures.ts';
import { dense } from '../../support/dense.ts';

/** Imports a network of one layer whose largest logit is its bias. */
function importWith(bias: number) {
  const model = modelOf(dense([784, 2]));
  model.parameters.fill(0);
  model.parameters[784 * 2] = bias;
  return importChecked({ bytes: exportModel(model, 'npz'), hints: {} }).parameters[784 * 2];
}

test('a model is imported if its logits stay below a tenth of the largest float32', () => {
  assert.equal(importWith(2.9e37), Math.fround(2.9e37));
  assert.throws(
    () => importWith(3.1e37),
    isAtelierError('invalid-model-file', /its weights allow logits up to 3\.1e\+37, above 3e\+37/),
  );
});

test('a file without an activation has the one that is given, or ReLU', () => {
  const bytes = exportModel(modelOf(dense([784, 3, 2])), 'npz');
  assert.equal(importChecked({ bytes, hints: {} }).activation, 'relu');
  assert.equal(importChecked({ bytes, hints: { activation: 'tanh' } }).activation, 'tanh');
});
