import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BLACK,
  createRaster,
  drawMatrix,
  fillRectangle,
  type Raster,
  toColours,
} from '../../../src/formats/drawing/raster.ts';

/** Each pixel in hexadecimal, row by row. */
const rows = ({ width, rgb }: Raster) =>
  Array.from({ length: rgb.length / 3 / width }, (_, y) =>
    Array.from({ length: width }, (_, x) =>
      Buffer.from(rgb.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)).toString('hex'),
    ).join(' '),
  );
const [W, R] = ['ffffff', '123456'];

test('a rectangle has red, green and blue, and is clipped', () => {
  const raster = createRaster(3, 2);
  assert.deepEqual(rows(raster), [`${W} ${W} ${W}`, `${W} ${W} ${W}`]);
  fillRectangle(raster, 1, 1, 1, 1, 0x123456);
  assert.deepEqual(rows(raster), [`${W} ${W} ${W}`, `${W} ${R} ${W}`]);
  fillRectangle(raster, 2, -5, 9, 6, 0x123456);
  assert.deepEqual(rows(raster), [`${W} ${W} ${R}`, `${W} ${R} ${W}`]);
  fillRectangle(raster, -1, 1, 2, 7, BLACK);
  assert.deepEqual(rows(raster), [`${W} ${W} ${R}`, `000000 ${R} ${W}`]);
});

test('a matrix of colours is drawn cell by cell', () => {
  const raster = createRaster(5, 3);
  drawMatrix(raster, 1, 1, [1, 2, 3, 4], 2, { width: 2, height: 1 });
  assert.deepEqual(rows(raster), [
    `${W} ${W} ${W} ${W} ${W}`,
    `${W} 000001 000001 000002 000002`,
    `${W} 000003 000003 000004 000004`,
  ]);
});

test('three levels are one colour', () => {
  assert.deepEqual(
    toColours([1, 2, 3, 4, 5, 6], (value) => 16 * value),
    [0x102030, 0x405060],
  );
});
