import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFileForm } from '../../../src/http/bodies/file-form.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { formRequest, type Part } from './form-request.ts';

const read = (parts: readonly Part[], meaningfulEmpty?: string) =>
  readFileForm(formRequest(parts), {
    file: 'model',
    example: 'curl -F model=@m.npz',
    maxBytes: 4,
    ...(meaningfulEmpty !== undefined && { meaningfulEmpty }),
  });
const file = (name: string, content = '1234'): Part => ({ name, filename: 'f', content });

test('a form is its file and its fields', async () => {
  const parts = [{ name: 'a', content: '1' }, file('model'), { name: 'b', content: '' }];
  assert.deepEqual(await read(parts), { bytes: Buffer.from('1234'), fields: { a: '1' } });
  assert.deepEqual((await read(parts, 'b')).fields, { a: '1', b: '' });
});

for (const [what, parts, code, detail] of [
  ['no file', [], 'invalid-request', /#\/model: Is required\. Send it as in curl -F model=@m\.npz\.$/],
  [
    'text instead of the file',
    [{ name: 'model', content: '1' }],
    'invalid-request',
    /#\/model: Must be a file, as in curl -F model=@m\.npz\.$/,
  ],
  [
    'a file of another name',
    [file('a')],
    'invalid-request',
    /#\/a: Must not be a file; the only file is `model`\.$/,
  ],
  [
    'two files',
    [file('model', '1'), file('a', '1')],
    'malformed-body',
    /more than one file\. Send one, as in/,
  ],
  ['a large file', [file('model', '12345')], 'body-too-large', /larger than the limit of 4 bytes\.$/],
] as const) {
  test(`a form with ${what} is rejected`, async () => {
    await assert.rejects(read(parts), isAtelierError(code, detail));
  });
}
