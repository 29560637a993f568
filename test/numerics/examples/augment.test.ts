import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planAugmentation, SIDE } from '../../../src/numerics/examples/augment.ts';

test('every rectangle to erase fits into an image', () => {
  const { shapes } = planAugmentation({ horizontalFlip: false, shift: 0, noise: 0, erase: 1 });
  // 9 of 32 areas × 32 aspects do not fit.
  assert.equal(shapes.length, 2 * 1015);
  assert.ok(shapes.every((length) => length >= 1 && length < SIDE));
});
