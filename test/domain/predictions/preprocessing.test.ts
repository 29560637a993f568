import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preprocessingFor } from '../../../src/domain/predictions/preprocessing.ts';

test('images are prepared as the model says, with the fit of the request instead if it has one', () => {
  const model = { fit: 'contain', background: 'white', invert: 'always' } as const;
  assert.deepEqual(preprocessingFor(model, undefined), model);
  assert.deepEqual(preprocessingFor(model, 'cover'), { ...model, fit: 'cover' });
  assert.deepEqual(preprocessingFor(null, 'cover'), {
    fit: 'cover',
    background: 'black',
    invert: 'never',
  });
  assert.equal(preprocessingFor(null, undefined), null);
});
