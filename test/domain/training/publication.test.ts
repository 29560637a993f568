import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  championComparisonSchema,
  DEFAULT_PUBLISH,
  publishSchema,
} from '../../../src/domain/training/publication.ts';

test('by default a version is published only if it has learned, and does not become the champion', () => {
  assert.deepEqual(DEFAULT_PUBLISH, { promote: 'never', evenIfNotLearned: false });
  assert.deepEqual(publishSchema.parse({ promote: 'if-better' }), {
    promote: 'if-better',
    evenIfNotLearned: false,
  });
  assert.equal(publishSchema.safeParse({ promote: 'sometimes' }).success, false);
});

test('accuracies of a comparison are fractions', () => {
  const { accuracy } = championComparisonSchema.shape;
  const isValid = (version: number) => accuracy.safeParse({ version, champion: 0.5 }).success;
  assert.deepEqual([0, 1].map(isValid), [true, true]);
  assert.deepEqual([-0.01, 1.01].map(isValid), [false, false]);
});
