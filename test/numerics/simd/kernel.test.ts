import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFused, type KernelExports } from '../../../src/numerics/simd/kernel.ts';

const withMultiplyAdd = (multiplyAdd: KernelExports['multiplyAdd']) =>
  isFused({ multiplyAdd } as KernelExports);

test('a processor fuses a multiply-add if it rounds once', () => {
  // The product of two float32 is exact in float64, and so is this sum.
  assert.equal(
    withMultiplyAdd((a, b, c) => Math.fround(a * b + c)),
    true,
  );
  assert.equal(
    withMultiplyAdd((a, b, c) => Math.fround(Math.fround(a * b) + c)),
    false,
  );
});
