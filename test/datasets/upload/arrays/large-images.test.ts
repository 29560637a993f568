import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openImageArray } from '../../../../src/datasets/upload/arrays/large-images.ts';
import type { ImageShape } from '../../../../src/numerics/network/image-shape.ts';
import { isAtelierError, temporaryFolder } from '../../fixtures.ts';
import { npy } from '../fixtures.ts';

function openNpy(context: TestContext, image: ImageShape, ...array: Parameters<typeof npy>) {
  const path = join(temporaryFolder(context), 'images.npy');
  writeFileSync(path, npy(...array));
  return openImageArray(path, image);
}

test('the range of floats is that of the largest, also in the last chunk of a thousand images', async (t) => {
  const rangeWith = async (last: number, given?: '0-1') => {
    const floats = new Float32Array(2 * 1001).fill(0.5);
    floats[2001] = last;
    await using array = await openNpy(t, [1, 2], floats, [1001, 2]);
    return await array.inferScale(given);
  };
  assert.deepEqual(
    [await rangeWith(1), await rangeWith(200), await rangeWith(200, '0-1')],
    ['0-1', '0-255', '0-1'],
  );
  await assert.rejects(rangeWith(1.005), isAtelierError('ambiguous-pixel-range', /./, '#/pixels'));
  await using bytes = await openNpy(t, [1, 2], Uint8Array.of(0, 1), [1, 2]);
  assert.equal(await bytes.inferScale(undefined), '0-255', 'whole numbers');
});

test('one image alone is read in both orders', async (t) => {
  for (const [values, order] of [
    [[1, 2, 3, 4, 5, 6], 'C'],
    [[1, 4, 2, 5, 3, 6], 'Fortran'],
  ] as const) {
    for (const shape of [
      [2, 3],
      [1, 2, 3],
    ]) {
      await using array = await openNpy(t, [2, 3], Uint16Array.from(values), shape, order);
      const { count, pixels } = await array.decode(0, 1, '0-255');
      assert.deepEqual([count, ...pixels], [1, 1, 2, 3, 4, 5, 6], `${order} ${shape}`);
    }
  }
});

test('a wrong number is named by its place in the whole array', async (t) => {
  const numbers = Uint16Array.from({ length: 3 * 6 }, (_, i) => (i === 16 ? 256 : 0));
  await using array = await openNpy(t, [2, 3], numbers, [3, 2, 3]);
  await assert.rejects(array.decode(2, 3, '0-255'), isAtelierError('invalid-pixels', /\[2, 1, 1\] is 256/));
});
