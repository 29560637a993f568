import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findUnderflows } from '../../../src/domain/training/float32-minimums.ts';

const fine = { optimizer: { type: 'adam', epsilon: 1e-15 }, clipNorm: 1e-6, classWeights: [0, 1e-6, 1] };

test('the least values, zero weights and missing options are allowed', () => {
  for (const changes of [
    {},
    { clipNorm: null },
    { classWeights: null },
    { classWeights: 'balanced' as const },
    { optimizer: { type: 'sgd' } },
  ])
    assert.deepEqual(findUnderflows({ ...fine, ...changes }), []);
});

test('smaller values are found with their paths', () => {
  assert.deepEqual(
    findUnderflows({
      optimizer: { type: 'adam', epsilon: 9e-16 },
      clipNorm: 9e-7,
      classWeights: [1, 9e-7, 0],
    }),
    [
      { path: ['clipNorm'], message: 'must be at least 0.000001, or null for no clipping' },
      { path: ['optimizer', 'epsilon'], message: 'must be at least 1e-15' },
      { path: ['classWeights', 1], message: 'must be 0 or at least 0.000001' },
    ],
  );
});
