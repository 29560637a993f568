import assert from 'node:assert/strict';
import { test } from 'node:test';
import { npyBytes } from '../../../src/formats/arrays/npy.ts';
import { canonicalType, receiveFiles } from '../../../src/http/bodies/image-form.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { formRequest, type Part } from './form-request.ts';

const receive = (parts: readonly Part[], maxBytes = 1000) => receiveFiles(formRequest(parts), maxBytes);
const file = (content: string | Uint8Array, type: string, filename = 'f'): Part => ({
  ...{ name: 'file', filename, type, content },
});

test('files keep their order, their names up to 255 characters, and their content', async () => {
  const long = `${'x'.repeat(254)}é and more`;
  const files = await receive([file('a', 'text/plain', long), file('b', 'text/plain', 'b.txt')]);
  assert.deepEqual(
    files.map(({ name, bytes }) => [name, bytes.toString()]),
    [
      [`${'x'.repeat(254)}é`, 'a'],
      ['b.txt', 'b'],
    ],
  );
});

test('the signature of npy, PNG, JPEG or WebP decides the type, else the declared one', async () => {
  const png = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  const npy = npyBytes(new Uint8Array(4), [4]);
  const files = await receive([
    file(png, 'application/octet-stream'),
    file(npy, 'image/png'),
    file('{"image":[]}', 'application/octet-stream'),
    file('', 'image/webp'),
    file('x', 'image/jpg'),
  ]);
  assert.deepEqual(
    files.map(({ type }) => type),
    ['image/png', 'application/x-npy', 'application/octet-stream', 'image/webp', 'image/jpeg'],
  );
  assert.equal(canonicalType('image/png'), 'image/png');
});

test('a form has files only, at least one', async () => {
  await assert.rejects(
    receive([]),
    isAtelierError('malformed-body', /^The form has no file\. Send at least one/),
  );
  const field = { name: 'topK', content: '3' };
  await assert.rejects(
    receive([field]),
    isAtelierError('malformed-body', /^The form has a field that is not a file\./),
  );
  await assert.rejects(
    receive([file('12345', 'a/b')], 4),
    isAtelierError('body-too-large', /larger than 4 bytes/),
  );
});
