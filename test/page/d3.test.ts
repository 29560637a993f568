/** The part of d3 that the page brings itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interpolateNumber } from '../../page/d3/interpolate.ts';

test('interpolates between two numbers', () => {
  const between = interpolateNumber(10, -30);
  assert.deepEqual([0, 0.25, 1, 1.5].map(between), [10, 0, -30, -50]);
});
