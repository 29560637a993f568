import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, linkSync, mkdirSync, openSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import type { CheckedUpload } from '../../../../src/datasets/upload/finish.ts';
import { chooseUploadShape, measureUpload, readUpload } from '../../../../src/datasets/upload/open.ts';
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
  const files = [{ part: 'file', path, bytes: archive.length }];
  const { chosen } = await measureUpload(files, all, MAX_BYTES);
  const shape = chosen ?? (await chooseUploadShape(files, all, MAX_BYTES, MAX_PIXELS));
  return readUpload(files, all, shape, MAX_BYTES, MAX_PIXELS);
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

test('the class is the folder that holds the image, below any folders that hold everything', async (t) => {
  const { tensors } = await read(t, zipSync(FILES));
  for (const top of ['photos', 'my/photos', '/etc/photos', 'C:\\my\\photos', './photos']) {
    const found = await read(t, zipSync(below(top, FILES)));
    assert.deepEqual(found.classNames, ['a', 'b'], top);
    assert.deepEqual(found.tensors, tensors, top);
  }
  const split = await read(t, zipSync(below('/my/set/train', FILES)));
  assert.deepEqual(split.classNames, ['a', 'b']);
});

test('absolute paths beside relative ones are not read and become no class', async (t) => {
  const { classNames, report } = await read(
    t,
    zipSync({ ...FILES, '/etc/1.png': dark, 'D:\\etc\\2.png': dark }),
  );
  assert.deepEqual([classNames, report.archive!.images], [['a', 'b'], 4]);
  const { ignored } = report.archive!;
  assert.deepEqual(ignored, { files: 2, first: ['/etc/1.png', 'D:\\etc\\2.png'] });
  assert.match(
    report.warnings[0]!.message,
    /^2 entries of the archive are not read: "\/etc\/1.png" \(its path is absolute\), ".*" \(its path is absolute\)\. Pack/,
  );
});

test('fit, background and inversion decide the pixels', async (t) => {
  const pixels = async (fields: Partial<DatasetFields>) => {
    const { tensors, preprocessing } = await read(t, zipSync(below('train', FILES)), fields);
    const image = tensors.train.pixels.subarray(0, 784);
    return { top: image[0], centre: image[14 * 28 + 14], preprocessing };
  };
  const test: Partial<DatasetFields> = { testFraction: 0.5, seed: 1, imageShape: [28, 28] };
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

test('the first frame of a GIF, TIFF and AVIF are read as PNG is', async (t) => {
  const rgb = Buffer.from(Array.from({ length: 40 * 20 * 3 }, (_, i) => Math.floor(i / 3) % 200));
  const image = sharp(rgb, { raw: { width: 40, height: 20, channels: 3 } });
  const gif = sharp([middle, black], { join: { animated: true } }).gif();
  const files = {
    'train/a/1.png': await image.clone().png().toBuffer(),
    'test/a/2.tif': await image.clone().tiff({ compression: 'lzw' }).toBuffer(),
    'test/a/3.tiff': await image.clone().tiff({ tile: true, compression: 'deflate' }).toBuffer(),
    'train/b/1.png': middle,
    'test/b/2.GIF': await gif.toBuffer(),
  };
  const { report } = await read(t, zipSync(files), { testFraction: null });
  assert.deepEqual([report.archive!.images, report.archive!.ignored.files], [5, 0]);
  // The test images equal the training images.
  assert.deepEqual(report.duplicates.across.images, 3);

  // AVIF converts colours, which changes a grey by little.
  const avif = await image.clone().avif({ lossless: true }).toBuffer();
  const { tensors } = await read(t, zipSync({ ...files, 'test/a/2.avif': avif }), { testFraction: null });
  const [png, decoded] = [tensors.train.pixels, tensors.test.pixels].map((pixels) => pixels.subarray(0, 784));
  assert.ok(decoded!.every((grey, i) => Math.abs(grey - png![i]!) <= 2));
});

/** A grey TIFF of 2×2 without compression. */
function tiff(sampleFormat: number, bits: number): Buffer {
  const data = Buffer.alloc((4 * bits) / 8, 60);
  const tags = [
    [256, 2],
    [257, 2],
    [258, bits],
    [259, 1],
    [262, 1],
    [273, 8 + 2 + 12 * 10 + 4],
    [277, 1],
    [278, 2],
    [279, data.length],
    [339, sampleFormat],
  ] as const;
  const head = Buffer.alloc(8 + 2 + 12 * tags.length + 4);
  head.write('II*\0\x08\0\0\0', 'latin1');
  head.writeUInt16LE(tags.length, 8);
  for (const [n, [tag, value]] of tags.entries()) {
    head.writeUInt16LE(tag, 10 + 12 * n);
    head.writeUInt16LE(4, 12 + 12 * n);
    head.writeUInt32LE(1, 14 + 12 * n);
    head.writeUInt32LE(value, 18 + 12 * n);
  }
  return Buffer.concat([head, data]);
}

test('TIFF with samples of 8 and 16 bits is read, and other samples are rejected', async (t) => {
  const { tensors } = await read(t, zipSync({ ...FILES, 'a/3.tif': tiff(1, 8), 'b/3.tif': tiff(1, 16) }), {
    invert: 'never',
  });
  const whole = [tensors.train, tensors.test].flatMap(({ pixels }) =>
    [...pixels].filter((_, i) => i % 784 === 0),
  );
  assert.deepEqual(
    whole.toSorted((a, b) => a - b),
    [0, 40, 60, 60, 120, 240],
  );
  for (const [file, type] of [
    [tiff(3, 32), 'float'],
    [tiff(2, 16), 'short'],
  ] as const) {
    const rejected = read(t, zipSync({ ...FILES, 'a/3.tif': file }));
    await assert.rejects(rejected, isAtelierError('invalid-dataset-file', new RegExp(`of type ${type}`)));
  }
});

test('warns of images that are not read, by their first bytes', async (t) => {
  const bmp = Buffer.from('BM\x1e\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0', 'latin1');
  const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0', 'latin1');
  const files = {
    ...FILES,
    ...Object.fromEntries(['3', '4', '5', '6', '7'].map((name) => [`a/${name}.bmp`, bmp])),
    'b/3.heic': heic,
    'b/nameless': dark,
    'b/BM.txt': Buffer.from('BM, a text'),
    '__MACOSX/b/._3.heic': heic,
  };
  for (const archive of [zipSync(files), zipSync(files, { level: 0 }), tar(t, files, '--sort=name')]) {
    const { warnings } = (await read(t, archive)).report;
    assert.equal(warnings[0]!.code, 'unread-images');
    assert.match(
      warnings[0]!.message,
      /^7 files look like images but are not read: "a\/3.bmp" \(a BMP image\), .*"a\/7.bmp" \(a BMP image\), …\. Convert/,
    );
  }
  const one = await read(t, zipSync({ ...FILES, 'b/nameless': dark }));
  assert.match(
    one.report.warnings[0]!.message,
    /^1 file looks like an image .*"b\/nameless" \(a PNG image\)\./,
  );
});

test('warns of links, sparse files and paths that lead out of the archive', async (t) => {
  const link = [Buffer.from('1.png'), { os: 3, attrs: (0o120777 << 16) >>> 0 }] as const;
  const zipped = await read(t, zipSync({ ...FILES, 'a/3.png': [...link], '../c/1.png': dark }));
  const text =
    /^2 entries of the archive are not read: "a\/3.png" \(a link\), "\.\.\/c\/1.png" \(its path has \.\.\)\. Pack/;
  assert.match(zipped.report.warnings[0]!.message, text);
  assert.equal(zipped.report.archive!.images, 4);
  const one = await read(t, zipSync({ ...FILES, 'a/3.png': [...link] }));
  assert.match(
    one.report.warnings[0]!.message,
    /^1 entry of the archive is not read: "a\/3.png" \(a link\)\./,
  );

  for (const format of ['gnu', 'posix']) {
    const folder = temporaryFolder(t);
    for (const [path, bytes] of Object.entries({ ...FILES, 'a/out.png': dark })) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
    symlinkSync('1.png', join(folder, 'a/4.png'));
    linkSync(join(folder, 'a/1.png'), join(folder, 'a/5.png'));
    // More holes than the header of an entry has room for.
    const holes = openSync(join(folder, 'b/holes.png'), 'w');
    for (let n = 0; n < 40; n++) writeSync(holes, dark, 0, dark.length, n * 65_536);
    closeSync(holes);
    const options = ['-C', folder, '--sparse', '--sort=name', '-P', '--transform=s,.*out.png,../c/1.png,'];
    const packed = execFileSync('tar', [...options, `--format=${format}`, '-cf', '-', 'a', 'b']);
    const { report } = await read(t, packed);
    assert.match(
      report.warnings[0]!.message,
      /^4 entries .*: "a\/4.png" \(a link\), "a\/5.png" \(a link\), "b\/holes.png" \(a sparse file\), "\.\.\/c\/1.png"/,
      format,
    );
    assert.equal(report.archive!.images, 4);
  }
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
    [{ ...below('x/y', FILES), 'x/1.png': dark }, /"x\/y\/b\/1.png" is not in a class folder/],
    [{ ...FILES, 'photos/c/1.png': dark }, /"photos\/c\/1.png" is not in a class folder/],
    [below('/x/a', { '1.png': dark, '2.png': dark }), /1 class folder: "a"; at least 2 classes/],
    [{ 'a/1.png': dark, 'a/2.png': dark }, /1 class folder: "a"; at least 2 classes/],
    [{ 'notes.txt': dark }, /holds no PNG, JPEG, WebP, GIF, TIFF or AVIF image; expected/],
    [below('my/.cache', FILES), /or AVIF image besides the hidden "my\/.cache\/b\/1.png"; expected/],
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
