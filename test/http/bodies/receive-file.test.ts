import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import type { z } from 'zod';
import type { StoredForm } from '../../../src/http/bodies/form.ts';
import { toDisk, withStoredForm } from '../../../src/http/bodies/receive-file.ts';
import { DATASET_FORM } from '../../../src/http/routes/datasets/collection.ts';
import { PREDICTION_FORM } from '../../../src/http/routes/predictions/jobs.ts';
import { isAtelierError, temporaryFolder } from '../../datasets/fixtures.ts';
import { formRequest, type Part } from './form-request.ts';

/** SHA-256 of "abc", the example of FIPS 180-4, and of "de". */
const ABC = 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const DE = 'sha256:959a45d44e6fcf58361ed004681556fe50129f2109e817dec098c00c9e5d2578';
const file = (name: string, content: string): Part => ({ name, filename: 'f', content });

/** Uploads a form of at most 6 bytes. Resolves to its upload, with the content of each file while it is in use. */
async function upload<F extends z.ZodType>(
  t: TestContext,
  form: StoredForm<F>,
  parts: readonly Part[],
  fails = false,
) {
  const folder = temporaryFolder(t);
  const paths: string[] = [];
  const newFile = () => paths[paths.push(join(folder, `${paths.length}`)) - 1]!;
  const discard = (path: string) => rm(path);
  const uploading = withStoredForm(
    formRequest(parts),
    form,
    6,
    { newFile, discard },
    async ({ fields, files }) => {
      if (fails) throw new Error('Not used.');
      return {
        fields,
        files: files.map(({ path, ...each }) => ({ ...each, content: readFileSync(path, 'utf8') })),
      };
    },
  );
  return uploading.finally(() => assert.deepEqual(paths.filter(existsSync), []));
}

test('an upload has its files on disk while it is used, and its fields', async (t) => {
  const parts = [file('x_train', 'abc'), { name: 'name', content: 'Mine' }, file('y_train', 'de')];
  const { fields, files } = await upload(t, DATASET_FORM, parts);
  assert.equal(fields.name, 'Mine');
  assert.deepEqual(files, [
    { part: 'x_train', bytes: 3, digest: ABC, content: 'abc' },
    { part: 'y_train', bytes: 2, digest: DE, content: 'de' },
  ]);
  await assert.rejects(upload(t, DATASET_FORM, parts, true), /Not used/);
});

const MODEL = { name: 'model', content: 'm@3' };
const ONLY_FILE = /: Must be text; the only file is `file`\.$/;

test('the form of a prediction job has a model, a range of numbers and one file', async (t) => {
  const parts = [file('file', 'abc'), MODEL, { name: 'pixels', content: '0-1' }];
  const { fields, files } = await upload(t, PREDICTION_FORM, parts);
  assert.deepEqual(fields, { model: 'm@3', pixels: '0-1' });
  assert.deepEqual(files, [{ part: 'file', bytes: 3, digest: ABC, content: 'abc' }]);
});

for (const [what, parts, code, detail] of [
  ['no file', [MODEL], 'malformed-body', /it has no file\. Send one, as in curl -F file=@images\.npy\.$/],
  [
    'text instead of the file',
    [{ name: 'file', content: '1' }],
    'invalid-request',
    /#\/file: Must be a file, as in curl -F file=@images\.npy\.$/,
  ],
  ['a file of another name', [MODEL, file('images', '1')], 'invalid-request', ONLY_FILE],
  ['a file instead of text', [file('model', '1')], 'invalid-request', ONLY_FILE],
  ['no model', [file('file', '1')], 'invalid-request', /#\/model/],
  ['a large file', [MODEL, file('file', '1234567')], 'body-too-large', /MAX_DATASET_BYTES, 6 bytes\.$/],
] as const) {
  test(`a form of a prediction job with ${what} is rejected, and leaves no file`, async (t) => {
    await assert.rejects(upload(t, PREDICTION_FORM, parts), isAtelierError(code, detail));
  });
}

for (const [what, parts, code, detail] of [
  ['no file', [{ name: 'name', content: 'Mine' }], 'malformed-body', /it has no file\. Send one/],
  [
    'text instead of a file',
    [{ name: 'x_train', content: '1' }],
    'invalid-request',
    /#\/x_train: Must be a file, as in curl -F x_train=@mine\.npz\.$/,
  ],
  [
    'a file instead of text',
    [file('file', '1'), file('name', '2')],
    'invalid-request',
    /#\/name: Must be text, not a file\.$/,
  ],
  [
    'a file of another name',
    [file('images', '1')],
    'invalid-request',
    /#\/images: Is not a file of a data set\. Allowed: file, train_images, x_train, /,
  ],
  ['an unknown field', [file('file', '1'), { name: 'x', content: '1' }], 'invalid-request', /#\/x/],
  [
    'large files',
    [file('x_train', '1234'), file('y_train', '567')],
    'body-too-large',
    /, 6 bytes in total\./,
  ],
] as const) {
  test(`a form with ${what} is rejected, and leaves no file`, async (t) => {
    await assert.rejects(upload(t, DATASET_FORM, parts), isAtelierError(code, detail));
  });
}

test('a form has at most 16 files', async (t) => {
  const files = Array.from({ length: 17 }, (_, n) => file(n === 0 ? 'file' : `f${n}`, ''));
  await assert.rejects(
    upload(t, DATASET_FORM, files),
    isAtelierError('malformed-body', /more than 16 files\.$/),
  );
});

test('a file never replaces another, and a full disk is named', async (t) => {
  const path = join(temporaryFolder(t), 'a');
  const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
  const chunks = (async function* () {
    yield Buffer.from('a');
    throw full;
  })();
  await assert.rejects(toDisk(chunks, path, 'the model'), isAtelierError('storage-full', /the model/));
  await assert.rejects(toDisk(Readable.from([]), path, 'the model'), { code: 'EEXIST' });
});
