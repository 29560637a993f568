import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  argmax,
  crossEntropy,
  crossEntropyBackward,
  labelTarget,
  softmax,
} from '../../../src/numerics/reference/cross-entropy.ts';

function probabilities(...z: number[]): Float64Array {
  const p = new Float64Array(z.length);
  softmax(p, Float64Array.from(z));
  return p;
}

test('logits of ±10,000 give probabilities and a loss, not infinities', () => {
  assert.deepEqual([...probabilities(1e4, -1e4, 0)], [1, 0, 0]);
  assert.deepEqual([...probabilities(-1e4, -1e4)], [0.5, 0.5]);
  assert.equal(crossEntropy(Float64Array.of(1e4, -1e4, 0), 0), 0);
  assert.equal(crossEntropy(Float64Array.of(1e4, -1e4, 0), 1), 2e4);
  assert.equal(crossEntropy(Float64Array.of(-1e4, -1e4), 1), Math.log(2));
});

test('softmax does not change when a constant is added to all logits', () => {
  const logits = fc.array(fc.integer({ min: -30, max: 30 }), { minLength: 2, maxLength: 10 });
  fc.assert(
    fc.property(logits, fc.integer({ min: -10_000, max: 10_000 }), (z, shift) => {
      const p = probabilities(...z);
      assert.deepEqual(probabilities(...z.map((value) => value + shift)), p);
      assert.ok(Math.abs(p.reduce((sum, value) => sum + value, 0) - 1) < 1e-14);
    }),
  );
});

test('the target of a smoothed label', () => {
  const q = Float64Array.of(7, 7, 7, 7);
  labelTarget(q, 2, 0.2);
  assert.deepEqual([...q], [0.05, 0.05, 0.8 + 0.05, 0.05]);
});

test('the gradient of the loss is (probabilities − target) / examples', () => {
  const dz = new Float64Array(3);
  crossEntropyBackward(
    dz,
    Float64Array.of(Math.log(1), Math.log(2), Math.log(5)),
    Float64Array.of(0, 1, 0),
    1 / 4,
  );
  const expected = [1 / 8 / 4, (2 / 8 - 1) / 4, 5 / 8 / 4];
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(dz[i]! - value) < 1e-16);
});

test('the first of equal logits is the prediction', () => {
  assert.equal(argmax(Float64Array.of(1, 3, 3)), 1);
});

test('a NaN logit gives a NaN loss', () => {
  for (const label of [0, 1, 2])
    assert.ok(Number.isNaN(crossEntropy(Float64Array.of(1, Number.NaN, 2), label)));
});
