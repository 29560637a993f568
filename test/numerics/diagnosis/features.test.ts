import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extractFeatures, FEATURES, toGreyPixels } from '../../../src/numerics/diagnosis/features.ts';
import { valueCount } from '../../../src/numerics/network/image-shape.ts';
import { assertNear } from '../fixtures.ts';
import { imagesOf, SHAPES } from '../shapes.ts';

for (const { shape, features: expected } of SHAPES) {
  test(`the features of an image of ${shape.join('×')} equal NumPy's`, () => {
    const image = imagesOf(shape).pixels.subarray(0, valueCount(shape));
    const features = new Float64Array(FEATURES);
    extractFeatures(features, toGreyPixels(image, shape), shape);
    assert.equal(expected.length, FEATURES);
    // The luma of colour is a float32.
    assertNear(features, expected, shape.length === 3 ? 1e-7 : 1e-13, 'features');
  });
}

test('the grey values of a grey image are its own, and of a colour image its luma', () => {
  const grey = Uint8Array.of(1, 2, 3, 4, 5, 6);
  assert.equal(toGreyPixels(grey, [2, 3]), grey);
  const luma = toGreyPixels(Uint8Array.of(100, 0, 0, 0, 100, 0, 0, 0, 100, 50, 50, 50), [2, 2, 3]);
  assertNear(luma, [29.9, 58.7, 11.4, 50], 1e-7, 'luma');
});
