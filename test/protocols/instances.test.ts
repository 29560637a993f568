import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromColumn, fromRows } from '../../src/protocols/instances.ts';
import { isAtelierError } from '../datasets/fixtures.ts';

const image = [8, 8] as const;
const black = new Array<number>(64).fill(0);
const B64 = { b64: 'AQI=' };
const encoded = (...pointers: readonly string[]) => ({
  encoded: pointers.map((pointer) => ({ kind: 'encoded', bytes: Buffer.of(1, 2), pointer })),
});

test('rows are numbers or encoded images, alone or in a field of any name', () => {
  const white = black.map(() => 255);
  assert.deepEqual(fromRows([black, { x: white }], '#/i', { image }), {
    batch: { count: 2, pixels: Uint8Array.from([...black, ...white]) },
  });
  assert.deepEqual(fromRows([B64, { x: B64 }], '#/i', { image }), encoded('#/i/0', '#/i/1'));
  const texts = ['AQI=', 'data:image/png;base64,AQI='];
  assert.deepEqual(fromRows(texts, '#/i', { image, readsText: true }), encoded('#/i/0', '#/i/1'));
});

test('a column is a tensor, one encoded image, or a list of them', () => {
  assert.deepEqual(fromColumn(black, '#/i', { image }), {
    batch: { count: 1, pixels: Uint8Array.from(black) },
  });
  assert.deepEqual(fromColumn({ x: B64 }, '#/i', { image }), encoded('#/i'));
  assert.deepEqual(fromColumn([B64, B64], '#/i', { image }), encoded('#/i/0', '#/i/1'));
});

const ones = new Array(1000).fill(B64);
test('a request has at most 1,000 encoded images', () => {
  const found = fromRows(ones, '#/i', { image });
  assert.equal('encoded' in found && found.encoded.length, 1000);
});

for (const [read, code, message] of [
  [() => fromRows([], '#/i', { image }), 'invalid-request', '#/i must be an array of at least one image.'],
  [
    () => fromRows({ 0: black }, '#/i', { image }),
    'invalid-request',
    '#/i must be an array of at least one image.',
  ],
  [
    () => fromRows([{ a: black, b: black }], '#/i', { image }),
    'invalid-request',
    '#/i/0 has 2 fields, but a model has one input.',
  ],
  [
    () => fromRows([{}], '#/i', { image }),
    'invalid-request',
    '#/i/0 has 0 fields, but a model has one input.',
  ],
  [
    () => fromRows([B64, black], '#/i', { image }),
    'invalid-request',
    '#/i/1 is not an encoded image, but others are.',
  ],
  [() => fromRows([{ b64: 1 }], '#/i', { image }), 'invalid-request', '#/i/0/b64 must be a Base64 string.'],
  [() => fromRows(['AQI='], '#/i', { image }), 'invalid-request', '#/i/0 is a string; a number is required.'],
  [
    () => fromRows([...ones, B64], '#/i', { image }),
    'invalid-request',
    '#/i holds 1001 encoded images; the limit is 1000. Send fewer, or send numbers.',
  ],
  [
    () => fromRows([black.slice(1)], '#/i', { image }),
    'invalid-image-size',
    '#/i has shape (1, 63); allowed: (n, 8, 8), (n, 64), (n, 8, 8, 1), (n, 1, 8, 8), with n at least 1.',
  ],
  [
    () => fromColumn(black.with(9, 256), '#/i', { image }),
    'invalid-pixels',
    '#/i is 256 at [9]; its pixels must be from 0 to 255.',
  ],
] as const) {
  test(`rejects images: ${message}`, () => {
    assert.throws(read, (error) => {
      assert.ok(isAtelierError(code)(error));
      assert.equal((error as Error).message, message);
      return true;
    });
  });
}

test('numbers are not resized', () => {
  assert.throws(
    () => fromRows([black], '#/i', { image, fit: 'contain' }),
    isAtelierError('invalid-request', /Resizes encoded images only; images as numbers must be 8×8\./),
  );
});
