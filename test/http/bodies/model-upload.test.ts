import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readModelUpload } from '../../../src/http/bodies/model-upload.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { formRequest } from './form-request.ts';

const read = (content: string, fields: Readonly<Record<string, string>>) =>
  readModelUpload(
    formRequest([
      ...Object.entries(fields).map(([name, value]) => ({ name, content: value })),
      { name: 'file', filename: 'f', content: Buffer.from(content, 'latin1') },
    ]),
    100,
  );

test('an upload has its file, the digest of the file and the fields', async () => {
  const { bytes, digest, fields, request } = await read('abc', { name: 'm', hidden: '4,2' });
  assert.equal(bytes.toString(), 'abc');
  // The example of FIPS 180-4.
  assert.equal(digest, 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.deepEqual(fields, { name: 'm', hidden: '4,2' });
  assert.deepEqual([request.name, request.hidden], ['m', [4, 2]]);
});

test('an empty list of hidden layers means none for a packed vector, and is ignored for other files', async () => {
  assert.deepEqual((await read('\x93NUMPY', { name: 'm', hidden: '' })).request.hidden, []);
  const { fields, request } = await read('PK', { name: 'm', hidden: '' });
  assert.deepEqual([request.hidden, fields], [undefined, { name: 'm' }]);
  assert.deepEqual((await read('PK', { name: 'm', hidden: '4' })).request.hidden, [4]);
});

test('the fields are validated', async () => {
  await assert.rejects(read('abc', {}), isAtelierError('invalid-request', /#\/name/, '#/name'));
  await assert.rejects(read('abc', { name: 'm', x: '1' }), isAtelierError('invalid-request', /#\/x/, '#/x'));
  await assert.rejects(read('a'.repeat(101), { name: 'm' }), isAtelierError('body-too-large'));
});
