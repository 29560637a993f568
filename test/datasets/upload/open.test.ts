import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { zipSync } from 'fflate';
import { openUpload } from '../../../src/datasets/upload/open.ts';
import { type DatasetFields, datasetFieldsSchema } from '../../../src/domain/datasets/upload-form.ts';
import { isAtelierError, temporaryFolder } from '../fixtures.ts';
import { npz, small } from './fixtures.ts';

async function measure(
  context: TestContext,
  files: Readonly<Record<string, Uint8Array>>,
  fields: Partial<DatasetFields> = {},
  maxBytes = 2 ** 20,
) {
  const folder = temporaryFolder(context);
  const sent = Object.entries(files).map(([part, bytes]) => {
    writeFileSync(join(folder, part), bytes);
    return { part, path: join(folder, part), bytes: bytes.length };
  });
  const { name: _, ...all } = { ...datasetFieldsSchema.parse({}), ...fields };
  const { images, chosen, extraBytes } = await openUpload({ files: sent, fields: all, maxBytes });
  return { images, chosen, extraBytes };
}

// Nothing is decoded, so the files need not be images.
const FOLDERS = { 'a/1.png': new Uint8Array(9), 'b/1.png': new Uint8Array(9), 'note.txt': new Uint8Array(9) };

test('arrays have the shape and number of their images, and need no memory besides', async (t) => {
  const expected = {
    images: 12,
    chosen: { imageShape: [28, 28], reason: 'As in the arrays.' },
    extraBytes: 0,
  };
  assert.deepEqual(await measure(t, small()), expected);
  assert.deepEqual(await measure(t, { file: npz(small()) }), expected);
});

test('images in folders need memory to decode and 600 bytes for each file, and have no shape yet', async (t) => {
  const found = await measure(t, { file: zipSync(FOLDERS) }, { testFraction: 0.5 });
  assert.deepEqual(found, { images: 2, chosen: null, extraBytes: 128 * 2 ** 20 + 3 * 600 });
  const withArray = { ...FOLDERS, 'x.npy': new Uint8Array(9) };
  assert.equal((await measure(t, { file: zipSync(withArray) }, { testFraction: 0.5 })).images, 2);
});

test('a requested shape counts against the limit with a byte for each label', async (t) => {
  const fields = { testFraction: 0.5, imageShape: [8, 10] } as const;
  const upload = (limit: number) => measure(t, { file: zipSync(FOLDERS) }, fields, limit);
  assert.deepEqual((await upload(162)).chosen, { imageShape: [8, 10], reason: 'As requested.' });
  await assert.rejects(
    upload(161),
    isAtelierError('invalid-dataset-file', /the images take 162 bytes at 8×10; the limit is 161/, '#/file'),
  );
});

test('arrays cannot have fields that apply to images in folders', async (t) => {
  for (const [field, value] of [
    ['fit', 'cover'],
    ['background', 'white'],
    ['invert', 'never'],
  ] as const)
    await assert.rejects(
      measure(t, small(), { [field]: value }),
      isAtelierError('invalid-dataset-file', /it applies to images in class folders only/, `#/${field}`),
    );
});
