import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dropoutThreshold } from '../../../src/numerics/examples/dropout.ts';

test('the threshold of dropout is a word of 32 bits, also if the fraction rounds to all', () => {
  assert.deepEqual([0, 0.5, 1 - 2 ** -40].map(dropoutThreshold), [0, 2 ** 31, 2 ** 32 - 1]);
});
