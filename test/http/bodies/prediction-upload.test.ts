import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { withPredictionUpload } from '../../../src/http/bodies/prediction-upload.ts';
import { isAtelierError, temporaryFolder } from '../../datasets/fixtures.ts';
import { formRequest, type Part } from './form-request.ts';

const MODEL = { name: 'model', content: 'm@3' };
const IMAGES: Part = { name: 'file', filename: 'images.npy', content: 'abc' };

/** Uploads a form of at most 4 bytes. Resolves to its upload, with the content of the file while it is in use. */
async function upload(t: TestContext, parts: readonly Part[]) {
  const path = join(temporaryFolder(t), 'images');
  const discard = (discarded: string) => rm(discarded, { force: true });
  const uploading = withPredictionUpload(
    formRequest(parts),
    { newFile: () => path, discard },
    4,
    async (upload) => ({
      ...upload,
      isOwn: upload.file.path === path,
      content: readFileSync(path, 'utf8'),
    }),
  );
  return uploading.finally(() => assert.ok(!existsSync(path)));
}

test('an upload has its file on disk while it is used, and its fields', async (t) => {
  const { fields, file, isOwn, content } = await upload(t, [
    IMAGES,
    MODEL,
    { name: 'pixels', content: '0-1' },
  ]);
  assert.deepEqual([fields.model, fields.pixels], ['m@3', '0-1']);
  const { bytes, digest, pixels } = file;
  assert.deepEqual([isOwn, content, bytes, pixels], [true, 'abc', 3, '0-1']);
  // The example of FIPS 180-4.
  assert.equal(digest, 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

for (const [what, parts, code, detail] of [
  ['no file', [MODEL], 'malformed-body', /it has no file\. Send one/],
  [
    'text instead of the file',
    [{ name: 'file', content: '1' }],
    'invalid-request',
    /#\/file: Must be a file/,
  ],
  [
    'a file of another name',
    [MODEL, { ...IMAGES, name: 'images' }],
    'invalid-request',
    /#\/images: Must be text; the only file is `file`\.$/,
  ],
  ['no model', [IMAGES], 'invalid-request', /#\/model/],
  [
    'a large file',
    [MODEL, { ...IMAGES, content: '12345' }],
    'body-too-large',
    /MAX_DATASET_BYTES, 4 bytes\.$/,
  ],
] as const) {
  test(`a form with ${what} is rejected, and leaves no file`, async (t) => {
    await assert.rejects(upload(t, parts), isAtelierError(code, detail));
  });
}
