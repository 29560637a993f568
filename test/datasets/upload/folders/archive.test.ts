import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import type { CheckedUpload } from '../../../../src/datasets/upload/finish.ts';
import { readUpload } from '../../../../src/datasets/upload/open.ts';
import { type DatasetFields, datasetFieldsSchema } from '../../../../src/domain/datasets/upload-form.ts';
import { isAtelierError, temporaryFolder } from '../../fixtures.ts';

const MAX_BYTES = 4_000_000;
const MAX_PIXELS = 500_000;

async function read(
  context: TestContext,
  archive: Uint8Array,
  fields: Partial<DatasetFields> = {},
): Promise<CheckedUpload> {
  const path = join(temporaryFolder(context), 'upload');
  writeFileSync(path, archive);
  const { name: _, ...all } = { ...datasetFieldsSchema.parse({}), testFraction: 0.5, ...fields };
  return readUpload([{ part: 'file', path, bytes: archive.length }], all, MAX_BYTES, MAX_PIXELS);
}

const grey = (value: number, width = 40, height = 20) =>
  sharp({ create: { width, height, channels: 3, background: { r: value, g: value, b: value } } })
    .png({ compressionLevel: 9 })
    .toBuffer();
const [black, dark, middle, light] = await Promise.all([grey(0), grey(40), grey(120), grey(240)]);
/** Two classes of two images each. */
const FILES = { 'b/1.png': dark, 'b/2.png': middle, 'a/1.png': black, 'a/2.png': light };
const below = (folder: string, files: Readonly<Record<string, Buffer>>) =>
  Object.fromEntries(Object.entries(files).map(([path, bytes]) => [`${folder}/${path}`, bytes]));

/** Packs the files with GNU tar. */
function tar(
  context: TestContext,
  files: Readonly<Record<string, Uint8Array>>,
  ...options: string[]
): Buffer {
  const folder = temporaryFolder(context);
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  return execFileSync('tar', ['-C', folder, ...options, '-cf', '-', '.'], { maxBuffer: 2 ** 26 });
}

test('reads the same data set from zip and from every format of GNU tar, with long names', async (t) => {
  const long = `${'photo '.repeat(30)}.png`;
  const files = below('pictures', { ...FILES, [`a/${long}`]: middle });
  const expected = await read(t, zipSync(files));
  assert.deepEqual(expected.classNames, ['a', 'b']);
  for (const format of ['gnu', 'pax', 'oldgnu', 'posix']) {
    const packed = tar(t, files, `--format=${format}`);
    for (const archive of [packed, gzipSync(packed)]) {
      const { tensors, report } = await read(t, archive);
      assert.deepEqual(tensors, expected.tensors, format);
      assert.deepEqual(report, expected.report, format);
    }
  }
});

test('fit, background and inversion decide the pixels', async (t) => {
  const pixels = async (fields: Partial<DatasetFields>) => {
    const { tensors, preprocessing } = await read(t, zipSync(below('train', FILES)), fields);
    const image = tensors.train.pixels.subarray(0, 784);
    return { top: image[0], centre: image[14 * 28 + 14], preprocessing };
  };
  const test = { testFraction: 0.5, seed: 1 };
  const own = await pixels({ ...test, invert: 'never' });
  assert.equal(own.top, own.centre, 'the background is the border');
  const onWhite = await pixels({ ...test, invert: 'never', background: 'white' });
  assert.deepEqual([onWhite.top, onWhite.centre], [255, own.centre]);
  const stretched = await pixels({ ...test, background: 'white', invert: 'always', fit: 'stretch' });
  assert.deepEqual([stretched.top, stretched.centre], [255 - own.centre!, 255 - own.centre!]);
  assert.deepEqual(stretched.preprocessing, { fit: 'stretch', background: 'white', invert: 'always' });
  // Three of four borders are dark.
  assert.equal((await pixels({ ...test, invert: 'auto' })).preprocessing!.invert, 'never');
});

test('train/ and test/ are the splits, and other files are ignored and listed', async (t) => {
  const { splits, report } = await read(
    t,
    zipSync({
      ...below('set/train', FILES),
      ...below('set/test', FILES),
      'set/README.txt': Buffer.from('text'),
      'set/train/a/.DS_Store': Buffer.from('hidden'),
      '__MACOSX/set/train/a/._1.png': Buffer.from('hidden'),
    }),
    { testFraction: null },
  );
  assert.deepEqual(splits.test.examplesPerClass, [2, 2]);
  assert.deepEqual(report.archive!.ignored, {
    files: 3,
    first: ['set/README.txt', 'set/train/a/.DS_Store', '__MACOSX/set/train/a/._1.png'],
  });
  assert.equal(report.duplicates.across.images, 4);
});

test('classNames decide the order of the labels', async (t) => {
  const { classNames, report } = await read(t, zipSync(FILES), { classNames: ['b', 'a'] });
  assert.deepEqual(
    [classNames, report.archive!.imagesPerClass],
    [
      ['b', 'a'],
      [2, 2],
    ],
  );
  const wrong = read(t, zipSync(FILES), { classNames: ['b', 'c'] });
  await assert.rejects(
    wrong,
    isAtelierError('invalid-dataset-file', /named "c".*lacks the folder "a"/, '#/file'),
  );
});

test('rejects images that cannot be decoded, naming each', async (t) => {
  const huge = await grey(0, 1000, 501);
  const files = {
    ...FILES,
    'a/cut.png': dark.subarray(0, 60),
    'b/text.jpg': Buffer.from('text'),
    'b/huge.png': huge,
  };
  for (const archive of [zipSync(files), tar(t, files)]) {
    await assert.rejects(
      read(t, archive),
      isAtelierError(
        'invalid-dataset-file',
        /3 images cannot be used: "a\/cut.png" \(.*damaged.*\), "b\/huge.png" \(.*1000×501.*\), "b\/text.jpg" \(.*not PNG/,
      ),
    );
  }
});

test('rejects archives without class folders, and describes the expected layout', async (t) => {
  const cases: readonly [
    files: Readonly<Record<string, Buffer>>,
    message: RegExp,
    fields?: Partial<DatasetFields>,
  ][] = [
    [
      { 'a.png': dark, 'b.png': dark },
      /"a.png" is not in a class folder; expected are paths such as cat\/1.png/,
    ],
    [below('x/y', FILES), /"y\/b\/1.png" is not in a class folder/],
    [{ 'a/1.png': dark, 'a/2.png': dark }, /1 class folder: "a"; at least 2 classes/],
    [{ 'notes.txt': dark }, /holds no PNG, JPEG or WebP image/],
    [
      FILES,
      /there are no test images; put the class folders into train\/ and test\//,
      { testFraction: null },
    ],
    [{ ...below('train', FILES), ...below('test', FILES) }, /combined with the folder test/],
    [
      { ...below('train', FILES), 'test/c/1.png': dark },
      /class "c" has no image below train/,
      { testFraction: null },
    ],
    [{ ...below('train', FILES), 'val/a/1.png': dark }, /"val\/a\/1.png" is not in a class folder/],
    [{ 'a/1.png': dark, [`${'x'.repeat(101)}/1.png`]: dark }, /cannot be a class name/],
  ];
  for (const [files, message, fields] of cases)
    await assert.rejects(read(t, zipSync(files), fields), isAtelierError('invalid-dataset-file', message));
});

test('rejects damaged archives and decompression bombs', async (t) => {
  const packed = tar(t, FILES);
  const zipped = zipSync(FILES);
  // A record without the space after its length.
  const withoutPaxSpace = Buffer.from(tar(t, { [`a/${'é'.repeat(90)}.png`]: dark }, '--format=pax'));
  const header = withoutPaxSpace.indexOf('/PaxHeaders');
  const record = (Math.floor(header / 512) + 1) * 512;
  withoutPaxSpace.fill('x', record, record + 512);
  const flipped = zipped.map((byte, i) => (i === 60 ? byte ^ 1 : byte));
  const bomb = gzipSync(tar(t, { ...FILES, 'zeros.bin': Buffer.alloc(8_000_000) }));
  const cases: readonly [archive: Uint8Array, message: RegExp][] = [
    [packed.subarray(0, 1000), /truncated/],
    [gzipSync(packed).subarray(0, 300), /damaged or truncated|truncated/],
    [withoutPaxSpace, /an extended header is not valid/],
    [flipped, /damaged|does not decompress/],
    [
      zipSync({ ...FILES, 'zeros.bin': Buffer.alloc(8_000_000) }),
      /decompresses to \d+ bytes; the limit is 4000000/,
    ],
    [bomb, /files take more than the limit of 4000000 bytes/],
  ];
  for (const [archive, message] of cases)
    await assert.rejects(read(t, archive), isAtelierError('invalid-dataset-file', message), String(message));
});

test('uploads of arrays reject the fields for images', async (t) => {
  const archive = zipSync({ 'train_images.npy': new Uint8Array(3) });
  await assert.rejects(
    read(t, archive, { fit: 'cover' }),
    isAtelierError('invalid-dataset-file', /fit: it applies to images in class folders only/, '#/fit'),
  );
});
