import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBase64, fromDataUrl } from '../../src/images/base64.ts';
import { isAtelierError } from '../datasets/fixtures.ts';

test('both alphabets of Base64 and line ends are read', () => {
  const bytes = Buffer.from([0xfb, 0xff, 0xfe]);
  for (const text of ['+//+', '-__-', '+/\r\n/ +']) assert.deepEqual(fromBase64(text, '#/image'), bytes);
  assert.throws(
    () => fromBase64('ab*c', '#/image'),
    isAtelierError('invalid-request', /^#\/image is not Base64: it contains "\*" at index 2\.$/, '#/image'),
  );
});

test('a data URL may have parameters, and any case', () => {
  for (const head of ['data:image/png;base64', 'DATA:Image/JPG;a=b;BASE64', 'data:image/webp;x;base64'])
    assert.deepEqual(fromDataUrl(`${head},AQI=`, '#'), Buffer.of(1, 2), head);
});

for (const [url, code, message] of [
  [
    'image.png',
    'invalid-request',
    'must be a data URL, such as "data:image/png;base64,…", or { "b64": "…" }',
  ],
  [
    'data:image/gif;base64,AA',
    'unsupported-media-type',
    'is a data URL with the unsupported type image/gif. Allowed: image/png, image/jpeg, image/webp',
  ],
  [
    `data:${'x'.repeat(81)},AA`,
    'unsupported-media-type',
    `is a data URL with the unsupported type ${'x'.repeat(80)}. Allowed: image/png, image/jpeg, image/webp`,
  ],
  [
    'data:;base64,AA',
    'unsupported-media-type',
    'is a data URL with no media type. Allowed: image/png, image/jpeg, image/webp',
  ],
  ['data:image/png,AA', 'invalid-request', 'is a data URL without Base64; write "data:image/png;base64,…"'],
] as const) {
  test(`rejects ${url.slice(0, 30)}`, () => {
    assert.throws(
      () => fromDataUrl(url, '#/image'),
      (error) => isAtelierError(code)(error) && (error as Error).message === `#/image ${message}.`,
    );
  });
}
