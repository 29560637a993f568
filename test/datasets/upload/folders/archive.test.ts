import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, linkSync, mkdirSync, openSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { fileSource } from '../../../../src/datasets/upload/byte-source.ts';
import type { CheckedUpload } from '../../../../src/datasets/upload/finish.ts';
import { openArchive } from '../../../../src/datasets/upload/folders/archive.ts';
import { openUpload } from '../../../../src/datasets/upload/open.ts';
import { type DatasetFields, datasetFieldsSchema } from '../../../../src/domain/datasets/upload-form.ts';
import { asZip64, changedZip64 } from '../../../formats/zip64-archive.ts';
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
  const opened = await openUpload({ files, fields: all, maxBytes: MAX_BYTES });
  return opened.read(opened.chosen ?? (await opened.choose(MAX_PIXELS)), MAX_PIXELS);
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
    imageShape: [28, 28],
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
    [{ ...below('x/y', FILES), 'x/1.png': dark }, /"x\/1.png" is not in a class folder/],
    [{ ...FILES, 'photos/c/1.png': dark }, /"photos\/c\/1.png" is not in a class folder/],
    [below('/x/a', { '1.png': dark, '2.png': dark }), /1 class folder: "a"; at least 2 classes/],
    [{ 'a/1.png': dark, 'a/2.png': dark }, /1 class folder: "a"; at least 2 classes/],
    [{ 'notes.txt': dark }, /holds no PNG, JPEG, WebP, GIF, TIFF or AVIF image; expected/],
    [{ 'a/photos.zip': dark }, /image; it holds "a\/photos\.zip": send that, or unpack it; expected/],
    [below('my/.cache', FILES), /or AVIF image besides the hidden "my\/.cache\/b\/1.png"; expected/],
    [
      FILES,
      /there are no test images; put the class folders into train\/ and test\//,
      { testFraction: null },
    ],
    [{ ...below('train', FILES), ...below('test', FILES) }, /combined with test images/],
    [
      { ...below('train', FILES), 'test/c/1.png': dark },
      /class "c" has no image below train/,
      { testFraction: null },
    ],
    [{ ...below('train', FILES), 'more/a/1.png': dark }, /"more\/a\/1.png" is not in a class folder/],
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

function openBytes(t: TestContext, bytes: Uint8Array, maxBytes = MAX_BYTES) {
  const path = join(temporaryFolder(t), 'archive');
  writeFileSync(path, bytes);
  return openArchive({ ...fileSource('file', path, bytes.length), path }, maxBytes);
}

/** The contents of files by their indices, in the order in which they are read. */
async function contents(
  t: TestContext,
  bytes: Uint8Array,
  whole: readonly number[],
  starts: readonly number[] = [],
) {
  const archive = (await openBytes(t, bytes))!;
  const found: [index: number, text: string][] = [];
  for await (const { index, bytes } of archive.read({ whole: new Set(whole), starts: new Set(starts) }))
    found.push([index, Buffer.from(bytes).toString('latin1')]);
  return found;
}

/** A header of a tar archive, and its content. */
function tarEntry(name: string, type: string, content = ''): Buffer {
  const header = Buffer.alloc(512);
  header.write(name);
  header.write(`${content.length.toString(8).padStart(11, '0')} `, 124);
  header.write(`        ${type}`, 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, Buffer.from(content.padEnd(Math.ceil(content.length / 512) * 512, '\0'))]);
}
const [FILE, LINK, FOLDER, PIPE] = ['0', '2', '5', '6'];
const rejection = (message: string) =>
  isAtelierError('invalid-dataset-file', new RegExp(`^The data set is invalid\\. Part file: ${message}\\.$`));

/** An archive with one entry, compressed already. */
function zipOf(compressed: Uint8Array, content: string, method = 8): Buffer {
  const bytes = Buffer.from(zipSync({ a: Buffer.from(compressed) }, { level: 0 }));
  const entry = bytes.indexOf('PK\x01\x02');
  for (const [field, value] of [
    [16, crc32(content)],
    [24, content.length],
  ] as const)
    bytes.writeUInt32LE(value, entry + field);
  bytes.writeUInt16LE(method, entry + 10);
  return bytes;
}

test('lists the files of a tar archive, and the first five of its links and special files', async (t) => {
  const first = 'first'.repeat(200);
  const skipped = Array.from({ length: 7 }, (_, n) => tarEntry(`link${n}`, n === 1 ? PIPE : LINK));
  const packed = Buffer.concat([
    tarEntry('a/', FOLDER),
    tarEntry('a/1', FILE, first),
    ...skipped,
    tarEntry('a/2', FILE, 'second'),
    tarEntry('a/3', FILE),
  ]);
  const { files, skipped: found } = (await openBytes(t, packed))!;
  assert.deepEqual(files, [
    { name: 'a/1', bytes: 1000 },
    { name: 'a/2', bytes: 6 },
    { name: 'a/3', bytes: 0 },
  ]);
  const kinds = ['link', 'special file', 'link', 'link', 'link'];
  assert.deepEqual(found, { count: 7, first: kinds.map((kind, n) => ({ name: `link${n}`, kind })) });
  assert.deepEqual(await contents(t, packed, [0, 2]), [
    [0, first],
    [2, ''],
  ]);
  assert.deepEqual(await contents(t, packed, [2], [0, 1]), [
    [0, first.slice(0, 512)],
    [1, 'second'],
    [2, ''],
  ]);
});

test('the files of a tar archive have different names, and take as many bytes as are allowed', async (t) => {
  const packed = Buffer.concat([tarEntry('a', FILE, 'first'), tarEntry('b', FILE, 'second')]);
  assert.equal((await openBytes(t, packed, 11))!.files.length, 2);
  await assert.rejects(openBytes(t, packed, 10), rejection('its files take more than the limit of 10 bytes'));
  await assert.rejects(
    openBytes(t, Buffer.concat([packed, tarEntry('a', FILE)])),
    rejection('the archive has two entries "a"'),
  );
});

test('headers and padding of a tar archive may take three blocks for each of a million files', async (t) => {
  const packed = Buffer.concat([tarEntry('a', FOLDER), tarEntry('b', FOLDER)]);
  // A limit below zero, because an archive of gigabytes takes too long.
  const limit = 2 * 512 - 3 * 512 * 1_000_000;
  assert.deepEqual((await openBytes(t, packed, limit))!.files, []);
  await assert.rejects(
    openBytes(t, packed, limit - 1),
    rejection(`it decompresses to more than the limit of ${limit - 1} bytes`),
  );
});

test('lists the files of a zip archive, and the first five of its links', async (t) => {
  const link = { os: 3, attrs: (0o120777 << 16) >>> 0 };
  const links = Array.from({ length: 7 }, (_, n) => [`link${n}`, [Buffer.from('a'), link]] as const);
  const zipped = zipSync({
    'a/': Buffer.alloc(0),
    'a\\': Buffer.alloc(0),
    'a/2': Buffer.from('second'),
    ...Object.fromEntries(links),
    'a/1': Buffer.from('first'),
  });
  const { files, skipped } = (await openBytes(t, zipped))!;
  assert.deepEqual(files, [
    { name: 'a/2', bytes: 6 },
    { name: 'a/1', bytes: 5 },
  ]);
  const first = [0, 1, 2, 3, 4].map((n) => ({ name: `link${n}`, kind: 'link' }));
  assert.deepEqual(skipped, { count: 7, first });
});

test('reads a zip archive in the order of its bytes, whatever the order of its directory', async (t) => {
  const zipped = Buffer.from(zipSync({ a: Buffer.from('1'), b: Buffer.from('2'), c: Buffer.from('3') }));
  const start = zipped.indexOf('PK\x01\x02');
  const entry = (n: number) => Buffer.from(zipped.subarray(start + 47 * n, start + 47 * (n + 1)));
  const turned = Buffer.concat([
    zipped.subarray(0, start),
    entry(2),
    entry(0),
    entry(1),
    zipped.subarray(start + 47 * 3),
  ]);
  const { files } = (await openBytes(t, turned))!;
  assert.deepEqual(
    files.map(({ name }) => name),
    ['c', 'a', 'b'],
  );
  assert.deepEqual(await contents(t, turned, [0, 1, 2]), [
    [1, '1'],
    [2, '2'],
    [0, '3'],
  ]);
  assert.deepEqual(await contents(t, turned, [0]), [[0, '3']]);
});

test('reads the start of a file, compressed or not, without its checksum; a whole file is verified', async (t) => {
  // Noise, which deflate does not make smaller.
  const content = createHash('shake256', { outputLength: 6000 }).digest().toString('latin1');
  const stored = Buffer.from(content, 'latin1');
  for (const [compressed, method] of [
    [deflateRawSync(stored), 8],
    [stored, 0],
  ] as const) {
    assert.ok(compressed.length > 3024, 'more than is read of the file');
    const zipped = zipOf(compressed, content.slice(1), method);
    zipped.writeUInt32LE(6000, zipped.indexOf('PK\x01\x02') + 24);
    assert.deepEqual(await contents(t, zipped, [], [0]), [[0, content.slice(0, 512)]]);
    await assert.rejects(contents(t, zipped, [0]), rejection('the entry "a" is damaged'));
  }
  const damaged = zipOf(Buffer.alloc(3000, 0xff), content);
  assert.deepEqual(await contents(t, damaged, [], [0]), [[0, '']]);
});

test('an entry takes twice its bytes and a kibibyte at most', async (t) => {
  // A stored block of one byte, then bytes that no block needs.
  const block = Buffer.from([1, 1, 0, 0xfe, 0xff, 0x78]);
  const padded = (length: number) => zipOf(Buffer.concat([block], length), 'x');
  assert.deepEqual(await contents(t, padded(1026), [0]), [[0, 'x']]);
  await assert.rejects(contents(t, padded(1027), [0]), rejection('the entry "a" is damaged'));
});

test('a zip archive has at most a million files, whose names take at most 256 bytes each', async (t) => {
  const zip64 = asZip64(zipSync(FILES));
  const counted = (count: bigint) =>
    changedZip64(changedZip64(zip64, 'PK\x06\x06', 24, count), 'PK\x06\x06', 32, count);
  await assert.rejects(
    openBytes(t, counted(1_000_001n)),
    rejection('the archive has more than 1,000,000 files, the limit'),
  );
  await assert.rejects(
    openBytes(t, counted(1_000_000n)),
    rejection('the directory of the archive is damaged'),
  );
  /** A file with a hole in front of its last record, which says where the names begin. */
  const withHole = (start: number, end: number) => {
    const path = join(temporaryFolder(t), 'archive');
    writeFileSync(path, 'PK');
    const record = Buffer.from(zipSync({}));
    record.writeUInt32LE(start, 16);
    const file = openSync(path, 'r+');
    writeSync(file, record, 0, record.length, end);
    closeSync(file);
    return openArchive({ ...fileSource('file', path, end + record.length), path }, MAX_BYTES);
  };
  assert.deepEqual((await withHole(200_000_000, 200_000_000))!.files, []);
  await assert.rejects(
    withHole(1, 256_000_002),
    rejection('the names of its files take more than 256000000 bytes'),
  );
});

test('only a zip or tar archive, also compressed with gzip, is an archive', async (t) => {
  const packed = tarEntry('a', FILE, 'content');
  const head = gzipSync(packed);
  for (const archive of [packed, head]) assert.equal((await openBytes(t, archive))!.files.length, 1);
  for (const other of [gzipSync('text'), Buffer.from('text'), Buffer.from('P'), Buffer.alloc(0)])
    assert.equal(await openBytes(t, other), undefined);
  for (const n of [0, 1]) {
    const changed = Buffer.from(head);
    changed[n] = 0;
    assert.equal(await openBytes(t, changed), undefined);
  }
});

test('leaves out damaged images if asked to, up to half of a class, and lists them', async (t) => {
  const cut = dark.subarray(0, 60);
  const whole = { 'a/1.png': black, 'a/3.png': light, 'b/1.png': dark, 'b/3.png': middle };
  const files = { ...whole, 'a/2.png': cut, 'b/2.png': Buffer.from('x') };
  await assert.rejects(
    read(t, zipSync(files)),
    isAtelierError(
      'invalid-dataset-file',
      /2 images cannot be used: .*; send damaged=skip to leave them out/,
    ),
  );
  const skipped = await read(t, zipSync(files), { damaged: 'skip' });
  const { damaged, images } = skipped.report.archive!;
  assert.deepEqual(
    [images, damaged!.images, damaged!.first.map(({ path }) => path)],
    [4, 2, ['a/2.png', 'b/2.png']],
  );
  assert.match(damaged!.first[1]!.reason, /not PNG/);
  assert.deepEqual(skipped.tensors, (await read(t, zipSync(whole))).tensors);
  await assert.rejects(
    read(t, zipSync({ ...whole, 'a/2.png': cut, 'a/4.png': cut, 'a/5.png': cut }), { damaged: 'skip' }),
    isAtelierError('invalid-dataset-file', /3 images cannot be used: .*more than half of the class "a"/),
  );
});
