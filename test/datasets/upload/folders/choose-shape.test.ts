/** The shape that images in class folders get. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { openUpload } from '../../../../src/datasets/upload/open.ts';
import { type DatasetFields, datasetFieldsSchema } from '../../../../src/domain/datasets/upload-form.ts';
import { isAtelierError, temporaryFolder } from '../../fixtures.ts';

const MAX_PIXELS = 500_000;

/** Measures and reads a zip as the data-set thread does. */
async function upload(
  context: TestContext,
  files: Readonly<Record<string, Uint8Array>>,
  { maxBytes = 2 ** 24, ...fields }: Partial<DatasetFields> & { readonly maxBytes?: number } = {},
) {
  const path = join(temporaryFolder(context), 'upload');
  const archive = zipSync(files, { level: 0 });
  writeFileSync(path, archive);
  const { name: _, ...all } = { ...datasetFieldsSchema.parse({}), testFraction: 0.5, ...fields };
  const sent = [{ part: 'file', path, bytes: archive.length }];
  const measured = await openUpload({ files: sent, fields: all, maxBytes });
  assert.equal(measured.chosen === null, all.imageShape === 'auto');
  const chosen = measured.chosen ?? (await measured.choose(MAX_PIXELS));
  const checked = await measured.read(chosen, MAX_PIXELS);
  assert.deepEqual(checked.imageShape, chosen.imageShape);
  const images = checked.splits.train.examples + checked.splits.test.examples;
  assert.equal(measured.images, images);
  return checked;
}

interface Colour {
  readonly r: number;
  readonly g: number;
  readonly b: number;
  readonly alpha?: number;
}

const plain = (width: number, height: number, background: Colour | string) =>
  sharp({ create: { width, height, channels: 4, background } });
const grey = (value: number, width = 20, height = 12) =>
  plain(width, height, { r: value, g: value, b: value }).removeAlpha().png().toBuffer();

/** Two classes of the same number of images each. */
const inFolders = (images: readonly Uint8Array[]): Record<string, Uint8Array> =>
  Object.fromEntries(images.map((image, n) => [`${n % 2 === 0 ? 'a' : 'b'}/${n >> 1}.png`, image]));
const greys = (values: readonly number[], ...size: [width: number, height: number] | []) =>
  Promise.all(values.map((value) => grey(value, ...size)));

test('images of one size keep it, and grey ones saved as RGB are grey', async (t) => {
  const { imageShape, report, tensors, preprocessing } = await upload(
    t,
    inFolders(await greys([10, 20, 30, 40])),
  );
  assert.deepEqual(imageShape, [12, 20]);
  assert.equal(
    report.imageShape,
    '12×20: All images have 20×12 pixels, and 0 of 4 that were looked at are in colour.',
  );
  assert.equal(tensors.train.pixels.length, 2 * 240);
  assert.deepEqual(new Set([...tensors.train.pixels, ...tensors.test.pixels]), new Set([10, 20, 30, 40]));
  assert.deepEqual(preprocessing, { fit: 'contain', background: 'auto', invert: 'never' });
});

test('images of several sizes are square, with 48, 32 or 28 pixels that half of them have', async (t) => {
  for (const [widths, side] of [
    [[20, 20, 21, 22], 28],
    [[31, 31, 31, 90], 28],
    [[20, 21, 32, 90], 32],
    [[20, 20, 48, 50], 48],
    [[200, 200, 300, 400], 48],
  ] as const) {
    const images = await Promise.all(widths.map((width, n) => grey(10 * n, width, 19)));
    const { imageShape, report } = await upload(t, inFolders(images));
    assert.deepEqual(imageShape, [side, side]);
    const [sizes, bytes] = [new Set(widths).size, 4 * (side * side + 1)];
    const cost = ` The data set takes ${Number((bytes / 2 ** 20).toPrecision(2))} MiB; with imageShape=28,28 it would take 0.003 MiB and train faster.`;
    assert.equal(
      report.imageShape,
      `${side}×${side}: The images have ${sizes} different sizes, half of them ${widths[2]} pixels or more on the longer side, and 0 of 4 that were looked at are in colour.${side > 28 ? cost : ''}`,
    );
  }
});

test('images of one size that is too small or too large keep their proportions', async (t) => {
  for (const [width, height, imageShape] of [
    [65, 20, [16, 48]],
    [20, 7, [8, 28]],
    [96, 80, [40, 48]],
    [100, 200, [48, 24]],
    [1000, 20, [8, 48]],
  ] as const) {
    const read = await upload(t, inFolders(await greys([1, 2, 3, 4], width, height)));
    assert.deepEqual(read.imageShape, imageShape);
    const shape = imageShape.join('×');
    assert.match(
      read.report.imageShape!,
      new RegExp(`^${shape}: .*${width}×${height} pixels, not 8 to 64 a side, `),
    );
  }
});

test('images whose proportions differ by at most 2 % keep them, in any order', async (t) => {
  const [wide, close, other] = await Promise.all([grey(9, 120, 80), grey(19, 242, 160), grey(29, 250, 160)]);
  for (const [images, imageShape] of [
    [
      [wide, close, wide, close],
      [32, 48],
    ],
    [
      [close, wide, close, wide],
      [32, 48],
    ],
    [
      [wide, other, wide, close],
      [48, 48],
    ],
  ] as const) {
    const read = await upload(t, inFolders(images));
    assert.deepEqual(read.imageShape, imageShape);
    assert.equal(
      read.report.imageShape!.includes('2 different sizes of the same proportions, '),
      imageShape[0] === 32,
    );
  }
});

test('many images get fewer pixels than they have, and the report says so', async (t) => {
  const files = inFolders(await greys([10, 20, 30, 40], 96, 96));
  for (const [maxBytes, side] of [
    [4 * (48 * 48 + 1), 48],
    [4 * (48 * 48 + 1) - 1, 32],
    [4 * (32 * 32 + 1) - 1, 28],
  ] as const) {
    const { imageShape, report } = await upload(t, files, { maxBytes });
    assert.deepEqual(imageShape, [side, side]);
    assert.equal(report.imageShape!.includes(', and are too many for 48×48, and '), side < 48);
  }
});

test('colour images keep their colours, and dark borders of colours are not inverted', async (t) => {
  const colours = ['#fa8072', '#66cdaa', '#ffd700', '#f0f8ff'];
  const files = inFolders(
    await Promise.all(colours.map((colour) => plain(16, 9, colour).removeAlpha().png().toBuffer())),
  );
  const { imageShape, report, tensors, preprocessing } = await upload(t, files);
  assert.deepEqual(imageShape, [9, 16, 3]);
  assert.match(report.imageShape!, /^9×16×3: .* 3 of 4 that were looked at are in colour\.$/);
  const found = [tensors.train, tensors.test].flatMap(({ pixels }) =>
    [0, 432].map((at) => `#${Buffer.from(pixels.subarray(at, at + 3)).toString('hex')}`),
  );
  assert.deepEqual(found.toSorted(), colours.toSorted());
  assert.equal(preprocessing!.invert, 'never');
});

/** A grey image of 20×10, of which the first `count` pixels differ by `difference` from grey. */
function tinted(count: number, difference: number, value: number): Promise<Buffer> {
  const rgb = Buffer.alloc(600, value);
  for (let i = 0; i < count; i++) rgb[3 * i] = value + difference;
  return sharp(rgb, { raw: { width: 20, height: 10, channels: 3 } })
    .png()
    .toBuffer();
}

test('an image is coloured if more than 1 % of its pixels differ by more than 16', async (t) => {
  for (const [count, difference, isColour] of [
    [200, 16, false],
    [2, 100, false],
    [3, 100, true],
    [200, 20, true],
  ] as const) {
    const images = await Promise.all([1, 2, 3, 4].map((n) => tinted(count, difference, 20 * n)));
    const { imageShape } = await upload(t, inFolders(images));
    assert.deepEqual(imageShape, isColour ? [10, 20, 3] : [10, 20], `${count} pixels by ${difference}`);
  }
});

test('a data set is in colour if more than 1 % of its images are', async (t) => {
  const plainImages = await Promise.all(Array.from({ length: 200 }, (_, n) => tinted(0, 0, n)));
  for (const coloured of [2, 3]) {
    const images = plainImages.with(50, await tinted(200, 90, 50)).with(120, await tinted(200, 90, 120));
    if (coloured === 3) images[7] = await tinted(200, 90, 7);
    const { imageShape, report } = await upload(t, inFolders(images));
    assert.deepEqual(imageShape, coloured === 3 ? [10, 20, 3] : [10, 20]);
    assert.match(report.imageShape!, new RegExp(`${coloured} of 200 that were looked at are in colour`));
  }
});

test('looks at the colours of about a thousand of many images', async (t) => {
  const [dark, light] = await greys([30, 60], 8, 8);
  const files: Record<string, Uint8Array> = {};
  for (let n = 0; n < 1300; n++) files[`${n % 2 === 0 ? 'a' : 'b'}/${n}.png`] = n % 3 === 0 ? dark! : light!;
  const { imageShape, report } = await upload(t, files);
  assert.deepEqual(imageShape, [8, 8]);
  assert.match(report.imageShape!, /0 of 650 that were looked at/);
});

test('a shape of the form decides the size and the colours', async (t) => {
  const files = inFolders(await greys([10, 20, 30, 40]));
  for (const imageShape of [
    [20, 44],
    [28, 28],
    [32, 32, 3],
  ] as const) {
    const read = await upload(t, files, { imageShape: [...imageShape] as [number, number] });
    assert.deepEqual(read.imageShape, imageShape);
    assert.equal(read.report.imageShape, 'As requested.');
  }
  const reject = isAtelierError(
    'invalid-dataset-file',
    /images in class folders are \[height, width\] or \[height, width, 3\]/,
    '#/imageShape',
  );
  await assert.rejects(upload(t, files, { imageShape: [3, 32, 32] }), reject);
});

test('grey images have three equal channels in a colour data set, and colour becomes luminance in a grey one', async (t) => {
  const [r, g, b] = [200, 100, 50];
  const colours = await Promise.all(
    [0, 1, 2, 3].map((n) =>
      plain(12, 12, { r: r - n, g, b })
        .removeAlpha()
        .png()
        .toBuffer(),
    ),
  );
  const { tensors } = await upload(t, inFolders(colours), { imageShape: [12, 12], invert: 'never' });
  const luma = (red: number) => Math.round(0.299 * red + 0.587 * g + 0.114 * b);
  const found = new Set([...tensors.train.pixels, ...tensors.test.pixels]);
  assert.deepEqual(found, new Set([r, r - 1, r - 2, r - 3].map(luma)));

  const inColour = await upload(t, inFolders(await greys([10, 20, 30, 40])), { imageShape: [12, 20, 3] });
  const { pixels } = inColour.tensors.train;
  for (let i = 0; i < pixels.length; i += 3) {
    assert.ok(pixels[i] === pixels[i + 1] && pixels[i] === pixels[i + 2] && pixels[i]! % 10 === 0);
  }
});

test('transparent parts get the background in every channel', async (t) => {
  const half = { r: 200, g: 40, b: 120, alpha: 0.5 };
  const clear = { r: 200, g: 40, b: 120, alpha: 0 };
  const files = inFolders(
    await Promise.all([half, half, clear, clear].map((colour) => plain(16, 16, colour).png().toBuffer())),
  );
  for (const [background, paper] of [
    ['black', 0],
    ['white', 255],
  ] as const) {
    const { tensors } = await upload(t, files, { imageShape: [16, 16, 3], background });
    const all = [tensors.train, tensors.test].flatMap(({ pixels }) =>
      [0, 768].map((at) => Array.from(pixels.subarray(at, at + 3))),
    );
    const blended = [200, 40, 120].map((value) => (value * 128 + paper * 127) / 255);
    const [light, dark] = [
      all.filter((rgb) => rgb.some((v) => v !== paper)),
      all.filter((rgb) => rgb.every((v) => v === paper)),
    ];
    assert.deepEqual([light.length, dark.length], [2, 2], JSON.stringify(all));
    for (const rgb of light) {
      for (const [c, value] of rgb.entries())
        assert.ok(Math.abs(value - blended[c]!) <= 1, `${background}: ${rgb} instead of ${blended}`);
    }
  }
});

test('the shape of the images counts against the limit of an upload', async (t) => {
  const files = inFolders(await greys([10, 20, 30, 40]));
  const maxBytes = 4 * (64 * 64 * 3 + 1);
  await upload(t, files, { imageShape: [64, 64, 3], maxBytes });
  await assert.rejects(
    upload(t, files, { imageShape: [64, 64, 3], maxBytes: maxBytes - 1 }),
    isAtelierError(
      'invalid-dataset-file',
      new RegExp(`the images take ${maxBytes} bytes at 64×64×3; the limit is ${maxBytes - 1}`),
      '#/file',
    ),
  );
});

test('a damaged image does not decide the shape, and is named', async (t) => {
  const files = {
    ...inFolders(await greys([10, 20, 30, 40])),
    'a/bad.png': Buffer.from('\x89PNG\r\n\x1a\nbad', 'latin1'),
  };
  await assert.rejects(
    upload(t, files),
    isAtelierError('invalid-dataset-file', /"a\/bad\.png" \(/, '#/file'),
  );
});

test('only images that can be decoded count as sampled', async (t) => {
  const path = join(temporaryFolder(t), 'upload');
  const noise = await sharp(Buffer.from(Array.from({ length: 400 }, (_, i) => (i * i) % 251)), {
    raw: { width: 20, height: 20, channels: 1 },
  })
    .png()
    .toBuffer();
  const archive = zipSync(inFolders([noise, noise, noise, noise.subarray(0, -100)]));
  writeFileSync(path, archive);
  const { name: _, ...all } = datasetFieldsSchema.parse({});
  const files = [{ part: 'file', path, bytes: archive.length }];
  const { choose } = await openUpload({ files, fields: { ...all, testFraction: 0.5 }, maxBytes: 2 ** 24 });
  const { reason } = await choose(MAX_PIXELS);
  assert.match(reason, /All images have 20×20 pixels, and 0 of 3 that were looked at are in colour/);
});
