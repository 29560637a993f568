import assert from 'node:assert/strict';
import { test } from 'node:test';
import { borderMedians, centre, describeResize, invertPixels } from '../../src/images/place.ts';

test('the border is the outermost pixels, and of two middle ones the lower counts', () => {
  const rows = [
    [9, 1, 2],
    [3, 99, 4],
    [7, 6, 5],
  ];
  // 1 2 3 4 5 6 7 9
  assert.deepEqual(borderMedians(Uint8Array.from(rows.flat()), { width: 3, height: 3 }, 1), [4]);
  assert.deepEqual(borderMedians(Uint8Array.of(5, 1, 3), { width: 1, height: 3 }, 1), [3]);
  assert.deepEqual(borderMedians(Uint8Array.of(5, 1, 3, 9), { width: 4, height: 1 }, 1), [3]);
  const colours = Uint8Array.of(1, 10, 100, 3, 30, 200, 2, 20, 50);
  assert.deepEqual(borderMedians(colours, { width: 3, height: 1 }, 3), [2, 20, 100]);
});

test('an image is put into the centre, and an odd pixel is left below and right', () => {
  assert.deepEqual(
    centre(Uint8Array.of(1, 2), { width: 2, height: 1 }, [0], [4, 5]),
    Uint8Array.from([...[0, 0, 0, 0, 0], ...[0, 1, 2, 0, 0], ...[0, 0, 0, 0, 0], ...[0, 0, 0, 0, 0]]),
  );
  assert.deepEqual(
    centre(Uint8Array.of(1, 2, 3, 4, 5, 6), { width: 1, height: 2 }, [7, 8, 9], [2, 3, 3]),
    Uint8Array.of(7, 8, 9, 1, 2, 3, 7, 8, 9, 7, 8, 9, 4, 5, 6, 7, 8, 9),
  );
});

test('inverted pixels are 255 minus the pixel', () => {
  const pixels = Uint8Array.of(0, 1, 255);
  invertPixels(pixels);
  assert.deepEqual(pixels, Uint8Array.of(255, 254, 0));
});

test('each fit describes what it did', () => {
  const describe = (fit: 'contain' | 'cover' | 'stretch') =>
    describeResize(fit, { width: 100, height: 50 }, { width: 20, height: 10 }, [16, 20]);
  assert.equal(describe('contain'), 'resized from 100×50 to 20×10, centred in 20×16');
  assert.equal(describe('cover'), 'cropped from 100×50 to its centre, resized to 20×16');
  assert.equal(describe('stretch'), 'stretched from 100×50 to 20×16');
});
