import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import type { FileArchive } from '../../../../src/datasets/upload/folders/archive.ts';
import { checkImageArchive, MAX_FILE_BYTES } from '../../../../src/datasets/upload/folders/images.ts';
import { openImageArchive } from '../../../../src/datasets/upload/folders/open-folders.ts';
import { datasetFieldsSchema } from '../../../../src/domain/datasets/upload-form.ts';
import { isAtelierError } from '../../fixtures.ts';

/** An archive in memory. Its files are in the order of their names. */
function archiveOf(files: Readonly<Record<string, Uint8Array | number>>): FileArchive {
  const all = Object.entries(files);
  return {
    files: all.map(([name, file]) => ({ name, bytes: typeof file === 'number' ? file : file.length })),
    skipped: { count: 0, first: [] },
    async *read({ whole }) {
      for (const [index, [, file]] of all.entries())
        if (whole.has(index) && typeof file !== 'number') yield { index, bytes: file };
    },
    source: () => assert.fail('No table is read.'),
    start: () => undefined,
  };
}

const grey = (value: number, width = 4, height = 2) =>
  sharp({ create: { width, height, channels: 3, background: { r: value, g: value, b: value } } })
    .png()
    .toBuffer();
const SPLIT = datasetFieldsSchema.parse({});

test('an image may take as many bytes as the limit', async () => {
  const sized = (bytes: number) =>
    openImageArchive(
      'x',
      archiveOf({ 'train/a/1.png': 9, 'train/b/1.png': bytes, 'test/a/2.png': 9 }),
      SPLIT,
    );
  assert.equal((await sized(MAX_FILE_BYTES)).folders.images.length, 3);
  await assert.rejects(
    sized(MAX_FILE_BYTES + 1),
    isAtelierError(
      'invalid-dataset-file',
      /"train\/b\/1\.png" takes more than 33554432 bytes, the limit/,
      '#/x',
    ),
  );
});

/** Reads images of these greys, training images of two classes in turn, then one test image of the last grey. */
async function read(
  greys: readonly number[],
  invert: 'auto' | 'always' | 'never' | null,
  channels: 1 | 3 = 1,
) {
  const files: Record<string, Uint8Array> = { 'test/a/1.png': await grey(greys.at(-1)!, 5, 3) };
  for (const [n, value] of greys.slice(0, -1).entries())
    files[`train/${n % 2 === 0 ? 'a' : 'b'}/${n}.png`] = await grey(value);
  const fields = { ...datasetFieldsSchema.parse({}), invert };
  const imageShape = channels === 1 ? ([2, 4] as const) : ([2, 4, 3] as const);
  const opened = await openImageArchive('x', archiveOf(files), SPLIT);
  const { preprocessing, tensors, report } = await checkImageArchive(
    opened,
    fields,
    { imageShape, reason: '' },
    99,
  );
  const firsts = [tensors.train, tensors.test].flatMap(({ pixels, labels }) =>
    Array.from(labels, (_, n) => pixels[(n * pixels.length) / labels.length]!),
  );
  return { invert: preprocessing!.invert, firsts, archive: report.archive! };
}

test('grey images are inverted if the borders of more than half are light, from 128 on', async () => {
  for (const choice of ['auto', null] as const) {
    assert.deepEqual((await read([128, 128, 0, 0], choice)).invert, 'never');
    const most = await read([128, 130, 0, 128], choice);
    // Training images by class, then the test image.
    assert.deepEqual([most.invert, most.firsts], ['always', [127, 255, 125, 127]]);
    assert.equal((await read([127, 127, 0, 255], choice)).invert, 'never');
  }
  assert.equal((await read([255, 255, 255, 255], 'auto', 3)).invert, 'never', 'colours');
  assert.deepEqual((await read([255, 255, 255, 250], 'never')).firsts, [255, 255, 255, 250]);
  assert.deepEqual((await read([10, 10, 10, 10], 'always')).firsts, [245, 245, 245, 245]);
});

test('the report has the smallest and the largest size, and the images of each class', async () => {
  const { archive } = await read([1, 2, 3, 4], 'never');
  assert.deepEqual(
    [archive.smallest, archive.largest],
    [
      [4, 2],
      [5, 3],
    ],
  );
  assert.deepEqual([archive.images, archive.imagesPerClass], [4, [3, 1]]);
});

test('images below val are the validation split, also if the test images are held out of the training images', async () => {
  const files: Record<string, Uint8Array> = {
    'test/b/1.png': await grey(10),
    'train/a/1.png': await grey(20),
    'train/a/2.png': await grey(30),
    'train/b/1.png': await grey(40),
    'train/b/2.png': await grey(50),
    'val/a/1.png': await grey(60),
    'val/b/1.png': await grey(70),
  };
  const fields = datasetFieldsSchema.parse({ invert: 'never' });
  const readSplits = async (chosen: Record<string, Uint8Array>, testFraction: number | null) => {
    const opened = await openImageArchive('x', archiveOf(chosen), { ...SPLIT, testFraction });
    const shape = { imageShape: [2, 4], reason: '' } as const;
    const { tensors } = await checkImageArchive(opened, { ...fields, testFraction }, shape, 99);
    return [tensors.train, tensors.validation, tensors.test].map((split) =>
      Array.from(split!.labels, (label, n) => [split!.pixels[8 * n], label]),
    );
  };
  const validation = [
    [60, 0],
    [70, 1],
  ];
  const [trained, held, tested] = await readSplits(files, null);
  assert.deepEqual([trained!.length, held, tested], [4, validation, [[10, 1]]]);
  const { 'test/b/1.png': _, ...untested } = files;
  const drawn = await readSplits(untested, 0.5);
  assert.deepEqual(
    drawn.map((split) => split.length),
    [2, 2, 2],
  );
  assert.deepEqual(drawn[1], validation);
});
