import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as jsonPixels from '../../src/images/json-pixels.ts';
import type { PixelOptions } from '../../src/images/pixel-range.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../src/numerics/network/image-shape.ts';
import { IMAGES, isAtelierError, onlyAtelierErrors } from '../datasets/fixtures.ts';

const decodeJson = (bytes: Uint8Array, options?: PixelOptions) =>
  jsonPixels.decodeJson(bytes, DEFAULT_IMAGE_SHAPE, options);
const json = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const flat = (fill: unknown = 0) => new Array<unknown>(784).fill(fill);
const rowsOf = (numbers: ArrayLike<number>) =>
  Array.from({ length: 28 }, (_, y) => Array.from({ length: 28 }, (_, x) => numbers[y * 28 + x]));

test('an image is 784 numbers or 28 rows of 28', () => {
  const pixels = IMAGES.subarray(0, 784);
  for (const image of [[...pixels], rowsOf(pixels)]) {
    assert.deepEqual(decodeJson(json({ image })), { count: 1, pixels });
    assert.deepEqual(decodeJson(json({ images: [image, rowsOf(pixels)] })).count, 2);
  }
});

test('accepts white space, a byte order mark and escapes in names', () => {
  const expected = decodeJson(json({ image: [...IMAGES.subarray(0, 784)] }));
  const indented = JSON.stringify({ image: rowsOf(IMAGES) }, null, '\t ').replaceAll('\n', '\r\n');
  assert.deepEqual(decodeJson(json(`\n ${indented} \t`)), expected);
  assert.deepEqual(decodeJson(json(`\ufeff${indented}`)), expected);
  assert.deepEqual(decodeJson(json(indented.replace('image', '\\u0069mage'))), expected);
});

test('accepts JSON numbers in every notation', () => {
  const image = flat(0).join().replace('0,0,0,0,0,0', '255,2.55e2,0.0255E+4,-0,-0.0e0,25500e-2');
  const { pixels } = decodeJson(json(`{"image":[${image}]}`));
  assert.deepEqual([...pixels.subarray(0, 7)], [255, 255, 255, 0, 0, 255, 0]);
  for (const wrong of ['01', '+1', '.5', '1.', '0x1', '1e', '--1', '1_0', '1 2', '']) {
    const body = json(`{"image":[${flat(0).join().replace('0,', `${wrong},`)}]}`);
    assert.throws(() => decodeJson(body), isAtelierError('malformed-body'), wrong);
  }
});

test('with ?pixels=0-1 every printed form of k/255 becomes exactly k', () => {
  const forms = [
    (k: number) => k / 255,
    (k: number) => Math.fround(k / 255),
    (k: number) => Number((k / 255).toFixed(9)),
  ];
  for (const form of forms) {
    const image = [...IMAGES.subarray(0, 784)].map(form);
    const batch = decodeJson(json({ image }), { pixels: '0-1' });
    assert.deepEqual(batch, { count: 1, pixels: IMAGES.subarray(0, 784) });
  }
  assert.throws(
    () => decodeJson(json({ image: flat(1.5) }), { pixels: '0-1' }),
    isAtelierError('invalid-pixels', /1\.5; with \?pixels=0-1/, '#/image/0'),
  );
});

test('fractions up to 2 are ambiguous, whole numbers and greater fractions are 0–255', () => {
  const ambiguous = isAtelierError('ambiguous-pixel-range', /\?pixels=0-1/);
  assert.throws(() => decodeJson(json({ images: [flat(0), flat(0.5)] })), ambiguous);
  assert.deepEqual(decodeJson(json({ image: flat(1) })).pixels, new Uint8Array(784).fill(1));
  const above = isAtelierError(
    'ambiguous-pixel-range',
    /too large for pixels of 0–1 and too small .*clipped to 1/,
  );
  assert.throws(() => decodeJson(json({ images: [flat(0), flat(1.000_000_2)] })), above);
  assert.throws(() => decodeJson(json({ images: [flat(0.5), flat(2)] })), above);
  assert.deepEqual(decodeJson(json({ image: flat(2) })).pixels, new Uint8Array(784).fill(2));
  assert.deepEqual(decodeJson(json({ image: flat(2.5) })).pixels, new Float32Array(784).fill(2.5));
  assert.deepEqual(decodeJson(json({ images: [flat(0.5), flat(3)] })).pixels[0], 0.5);
  assert.deepEqual(decodeJson(json({ image: flat(0.5) }), { pixels: '0-255' }).pixels[0], 0.5);
});

const at = (index: number, value: unknown) => flat().with(index, value);
const inRow = (y: number, x: number, value: number) => rowsOf(Array.from(at(y * 28 + x, value)) as number[]);
const BAD_PIXELS: readonly (readonly [unknown, string])[] = [
  [{ image: at(7, 256) }, '#/image/7'],
  [{ image: at(7, -1) }, '#/image/7'],
  [{ images: [flat(), flat(), at(783, 255.5)] }, '#/images/2/783'],
  [{ image: inRow(5, 27, 300) }, '#/image/5/27'],
  [{ images: [inRow(0, 0, 1e300)] }, '#/images/0/0/0'],
  [JSON.stringify({ image: at(3, 9) }).replace('9', '1e999'), '#/image/3'],
];
for (const [body, pointer] of BAD_PIXELS) {
  test(`rejects a pixel out of range at ${pointer}`, () => {
    assert.throws(() => decodeJson(json(body)), isAtelierError('invalid-pixels', /0 to 255/, pointer));
  });
}

const WRONG_TYPES: readonly (readonly [unknown, string, RegExp])[] = [
  [[flat()], '#', /is an array/],
  ['"text"', '#', /is a string/],
  ['12', '#', /is a number/],
  [{}, '#', /# is empty/],
  [{ image: null }, '#/image', /is null/],
  [{ image: 'x' }, '#/image', /is a string/],
  [{ image: { 0: 1 } }, '#/image', /is an object/],
  [{ image: at(5, null) }, '#/image/5', /is null/],
  [{ image: at(5, '7') }, '#/image/5', /is a string/],
  [{ image: at(5, true) }, '#/image/5', /is a boolean/],
  [{ image: at(5, [1]) }, '#/image/5', /is an array/],
  [{ image: (rowsOf(flat() as number[]) as unknown[]).with(4, 1) }, '#/image/4', /is a number; a row/],
  [{ images: flat() }, '#/images/0', /is a number; an image/],
  [{ images: 3 }, '#/images', /is a number/],
  [{ images: [] }, '#/images', /at least one/],
  [{ instances: [] }, '#/instances', /is an unknown field/],
  [{ 'a/b~': 1 }, '#/a~1b~0', /is an unknown field/],
  [{ image: flat(), images: [flat()] }, '#/images', /unexpected second field; send either image or images/],
  [{ image: flat(), topK: 3 }, '#/topK', /is an unknown field/],
  [`{"image":[${flat()}],"image":[${flat()}]}`, '#/image', /second field/],
];
for (const [body, pointer, message] of WRONG_TYPES) {
  test(`rejects ${JSON.stringify(body).slice(0, 40)} at ${pointer}: ${message.source}`, () => {
    assert.throws(() => decodeJson(json(body)), isAtelierError('invalid-request', message, pointer));
  });
}

const WRONG_SIZES: readonly (readonly [unknown, string, RegExp])[] = [
  [{ image: [] }, '#/image', /0 numbers/],
  [{ image: flat().slice(1) }, '#/image', /783 numbers/],
  [{ images: [flat(), [...flat(), 0, 0]] }, '#/images/1', /786 numbers/],
  [{ image: [flat()] }, '#/image/0', /784 numbers; a row must have 28/],
  [{ image: rowsOf(flat() as number[]).slice(1) }, '#/image', /27 rows/],
  [{ image: rowsOf(flat() as number[]).with(3, [1]) }, '#/image/3', /1 numbers; a row must have 28/],
];
for (const [body, pointer, message] of WRONG_SIZES) {
  test(`rejects an image of the wrong size at ${pointer}: ${message.source}`, () => {
    assert.throws(() => decodeJson(json(body)), isAtelierError('invalid-image-size', message, pointer));
  });
}

const MALFORMED: readonly (readonly [string, Uint8Array, RegExp?])[] = [
  ['an empty body', json(''), /the end/],
  ['a cut body', json('{"image":[1,2'), /the end/],
  ['a trailing comma', json(`{"image":[${flat()},]}`)],
  ['something after the end', json(`{"image":[${flat()}]} x`), /expected the end/],
  ['NaN, which Python prints', json(`{"image":[NaN]}`), /#\/image\/0.*NaN/],
  ['-Infinity, which Python prints', json(`{"image":[-Infinity]}`), /#\/image\/0/],
  ['a name without quotes', json('{image:[1]}'), /field name/],
  ['a name that does not end', json('{"image')],
  ['a name that is not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a]), /UTF-8/],
  ['UTF-16', Buffer.from('{"image":[1]}', 'utf16le')],
  ['a __proto__ field', json('{"__proto__":{}}'), /__proto__/],
  ['a __proto__ field after the image', json(`{"image":[${flat()}],"__proto__":{}}`), /__proto__/],
];
for (const [name, body, message] of MALFORMED) {
  test(`rejects ${name} as invalid JSON`, () => {
    assert.throws(() => decodeJson(body), isAtelierError('malformed-body', message));
  });
}

test('rejects sixty million brackets at the first invalid one', () => {
  const bomb = Buffer.alloc(60_000_000, '[');
  bomb.write('{"images":');
  assert.throws(() => decodeJson(bomb), isAtelierError('invalid-request', /an array/, '#/images/0/0/0'));
});

test('any JSON, valid or damaged, is decoded or rejected by name', () => {
  fc.assert(fc.property(fc.json(), (text) => void onlyAtelierErrors(() => decodeJson(json(text)))));
  const image = JSON.stringify({ images: [flat(12.5), rowsOf(flat(7) as number[])] });
  const damage = fc.record({
    at: fc.nat({ max: image.length }),
    remove: fc.nat({ max: 3 }),
    insert: fc.string({ unit: 'binary' }),
  });
  fc.assert(
    fc.property(damage, ({ at, remove, insert }) => {
      const text = image.slice(0, at) + insert + image.slice(at + remove);
      const batch = onlyAtelierErrors(() => decodeJson(json(text)));
      // Every text that the reader accepts has the same numbers as in JSON.parse.
      if (batch) assert.deepEqual([...batch.pixels], [...new Float32Array(JSON.parse(text).images.flat(2))]);
    }),
    { numRuns: 500 },
  );
});
