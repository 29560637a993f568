import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { npyBytes } from '../../src/formats/arrays/npy.ts';
import {
  compact,
  decodeBytes,
  FLOAT16_ROUNDING,
  FLOAT32_ROUNDING,
  joinBatches,
  scaleNumbers,
  unitToByteScale,
  unravelIndex,
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

test('a value within the rounding of its type is a whole pixel', () => {
  const near = (pixel: number, relative: number) => (pixel / 255) * (1 + relative);
  assert.equal(unitToByteScale(near(200, 0.9 * FLOAT32_ROUNDING), FLOAT32_ROUNDING), 200);
  assert.notEqual(unitToByteScale(near(200, 1.1 * FLOAT32_ROUNDING), FLOAT32_ROUNDING), 200);
  assert.equal(unitToByteScale(near(200, -0.9 * FLOAT16_ROUNDING), FLOAT16_ROUNDING), 200);
  assert.deepEqual([FLOAT16_ROUNDING, FLOAT32_ROUNDING], [1 / 2048, 1 / 4_194_304]);
});

test('numbers outside of their scale are rejected with their index', () => {
  const reject = (index: number, limit: number): never => {
    throw new RangeError(`${index} of ${limit}`);
  };
  const bytes = Uint8Array.of(1, 255);
  assert.equal(scaleNumbers(bytes, false, 0, reject), bytes);
  assert.deepEqual(scaleNumbers([0, 255n], false, 0, reject), Uint8Array.of(0, 255));
  assert.deepEqual(scaleNumbers([0, 1], true, 0, reject), Uint8Array.of(0, 255));
  assert.deepEqual(scaleNumbers([0.5, 1], true, 0, reject), Float32Array.of(127.5, 255));
  assert.throws(() => scaleNumbers([0, 255.5], false, 0, reject), /^RangeError: 1 of 255$/);
  assert.throws(() => scaleNumbers([1.001], true, 0, reject), /^RangeError: 0 of 1$/);
  assert.throws(() => scaleNumbers([0, 0, -0.1], false, 0, reject), /^RangeError: 2 of 255$/);
  assert.throws(() => scaleNumbers([Number.NaN], true, 0, reject), /^RangeError: 0 of 1$/);
});

test('a flat index is that of numpy.unravel_index', () => {
  assert.deepEqual(
    [0, 5, 23].map((index) => unravelIndex(index, [2, 3, 4])),
    [
      [0, 0, 0],
      [0, 1, 1],
      [1, 2, 3],
    ],
  );
});
