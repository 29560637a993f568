import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { npyBytes } from '../../src/formats/arrays/npy.ts';
import {
  compact,
  decodeBytes,
  FLOAT32_ROUNDING,
  joinBatches,
  unitToByteScale,
} from '../../src/images/batch.ts';
import { decodeImages } from '../../src/images/decode.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../src/numerics/network/image-shape.ts';
import { IMAGES, isAtelierError, npyFixture, onlyAtelierErrors } from '../datasets/fixtures.ts';

test('raw bytes are images of 784', () => {
  assert.deepEqual(decodeBytes(IMAGES, DEFAULT_IMAGE_SHAPE), { count: 2, pixels: IMAGES });
  for (const length of [0, 1, 783, 785]) {
    assert.throws(
      () => decodeBytes(new Uint8Array(length), DEFAULT_IMAGE_SHAPE),
      isAtelierError(
        'invalid-image-size',
        new RegExp(length === 0 ? '^The data is empty' : `^${length} bytes`),
      ),
    );
  }
});

test('whole pixels become bytes, others stay floats', () => {
  assert.deepEqual(compact(Float32Array.from(IMAGES)), IMAGES);
  const mixed = Float32Array.from(IMAGES).with(783, 0.25);
  assert.equal(compact(mixed), mixed);
});

test('only values within rounding of k/255 become k', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (value) => {
      const pixel = unitToByteScale(value, FLOAT32_ROUNDING);
      assert.ok(Math.abs(pixel - value * 255) <= 255 * FLOAT32_ROUNDING);
    }),
  );
});

test('batches are joined in order, as floats if one of them is', () => {
  const bytes = decodeBytes(IMAGES, DEFAULT_IMAGE_SHAPE);
  const floats = { count: 1, pixels: new Float32Array(784).fill(0.5) };
  assert.equal(joinBatches([bytes]), bytes);
  assert.deepEqual(joinBatches([bytes, bytes]), {
    count: 4,
    pixels: new Uint8Array([...IMAGES, ...IMAGES]),
  });
  const joined = joinBatches([floats, bytes]);
  assert.deepEqual(joined, { count: 3, pixels: new Float32Array([...floats.pixels, ...IMAGES]) });
});

test('a form with several files becomes one batch in file order, in every format', async () => {
  const one = IMAGES.subarray(0, 784);
  const { count, pixels } = decodeImages(
    {
      kind: 'many',
      names: ['a', 'b', 'c', 'd', 'e'],
      parts: [
        { kind: 'npy', bytes: await npyFixture('pictures-f4') },
        { kind: 'json', bytes: Buffer.from(JSON.stringify({ image: [...one] })) },
        { kind: 'bytes', bytes: IMAGES },
        { kind: 'batch', count: 1, pixels: one },
        { kind: 'npy', bytes: npyBytes(one, [28, 28]) },
      ],
    },
    DEFAULT_IMAGE_SHAPE,
  );
  assert.equal(count, 7);
  assert.deepEqual(pixels, new Uint8Array([...IMAGES, ...one, ...IMAGES, ...one, ...one]));
});

test('random bytes are decoded or rejected by name, in every format', () => {
  const kinds = fc.constantFrom('json', 'npy', 'bytes');
  fc.assert(
    fc.property(kinds, fc.uint8Array({ maxLength: 2000 }), (kind, bytes) => {
      onlyAtelierErrors(() => decodeImages({ kind, bytes }, DEFAULT_IMAGE_SHAPE));
    }),
  );
});
