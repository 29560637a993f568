import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inferScale } from '../../src/images/pixel-range.ts';
import { isAtelierError } from '../datasets/fixtures.ts';

test('numbers are 0–1 up to 1, 0–255 above 2, and ambiguous between', () => {
  assert.equal(inferScale([[0, 0.5], [1]]), '0-1');
  assert.equal(inferScale([]), '0-1');
  assert.equal(inferScale([[0.5], [0, 2.001]]), '0-255');
  assert.equal(inferScale([[0n, 200n]]), '0-255');
  const advice = { pointer: '#/pixels', detail: 'send the field pixels' };
  const sentence =
    'The largest number is 2, too large for pixels of 0–1 and too small for pixels of 0–255. Clip pixels of 0–1 to 1, or divide pixels of 0–255 by 255';
  for (const [alternative, end, details] of [
    [null, '.', []],
    [advice, ', or send the field pixels.', [advice]],
  ] as const)
    assert.throws(
      () => inferScale([[0.5, 2], [1.005]], alternative),
      (error) => {
        assert.ok(isAtelierError('ambiguous-pixel-range')(error));
        assert.deepEqual(
          [(error as Error).message, Reflect.get(error as Error, 'details')],
          [sentence + end, details],
        );
        return true;
      },
    );
});
