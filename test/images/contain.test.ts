import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { openAnyImage, toPng } from '../../src/images/encoded.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../src/numerics/network/image-shape.ts';
import { decodeImage, IMAGES, isAtelierError } from '../datasets/fixtures.ts';

const MAX_PIXELS = 1_000_000;
const CONTAIN = { fit: 'contain', background: 'black', invert: 'never' } as const;
const containImage = async (bytes: Uint8Array) =>
  (await openAnyImage(bytes, MAX_PIXELS)).decode(CONTAIN, DEFAULT_IMAGE_SHAPE);

const colour = { r: 200, g: 100, b: 50 };
const luma = Math.round(0.299 * 200 + 0.587 * 100 + 0.114 * 50);

function plain(width: number, height: number): Sharp {
  return sharp({ create: { width, height, channels: 3, background: colour } });
}

/** Row y of the 28×28 pixels. */
async function rowsOf(bytes: Uint8Array): Promise<number[][]> {
  const { batch } = await containImage(bytes);
  assert.equal(batch.count, 1);
  return Array.from({ length: 28 }, (_, y) => Array.from(batch.pixels.subarray(y * 28, (y + 1) * 28)));
}

const row = (...parts: [value: number, times: number][]) =>
  parts.flatMap(([value, times]) => new Array<number>(times).fill(value));

test('a wide image keeps its aspect ratio between black bars, and colours become luma', async () => {
  const rows = await rowsOf(await plain(560, 280).png().toBuffer());
  for (const [y, pixels] of rows.entries()) {
    assert.deepEqual(pixels, row([y >= 7 && y < 21 ? luma : 0, 28]), `row ${y}`);
  }
});

test('a small tall image is enlarged between black bars', async () => {
  const rows = await rowsOf(await plain(7, 14).png().toBuffer());
  for (const [y, pixels] of rows.entries()) {
    assert.deepEqual(pixels, row([0, 7], [luma, 14], [0, 7]), `row ${y}`);
  }
});

test('reports the corrections', async () => {
  const { corrected } = await containImage(await plain(560, 280).webp().toBuffer());
  assert.deepEqual(corrected, [
    { code: 'resized', detail: 'resized from 560×280 to 28×14, centred in 28×28' },
  ]);
});

test('applies the EXIF orientation of a photograph', async () => {
  const upright = await plain(280, 560).jpeg().toBuffer();
  const lying = await plain(560, 280).jpeg().withMetadata({ orientation: 6 }).toBuffer();
  const { batch, corrected } = await containImage(lying);
  assert.deepEqual(batch, (await containImage(upright)).batch);
  assert.deepEqual(
    corrected.map(({ code, detail }) => [code, /280×560 to 14×28/.test(detail)]),
    [
      ['oriented', false],
      ['resized', true],
    ],
  );
});

test('transparency becomes black, and 16 bits become 8', async () => {
  const clear = plain(56, 56).ensureAlpha(0.5);
  const [[pixel]] = (await rowsOf(await clear.png().toBuffer())) as [[number]];
  assert.ok(Math.abs(pixel - luma / 2) <= 1, `${pixel}`);
  const deep = await plain(56, 56).toColourspace('rgb16').png().toBuffer();
  assert.equal((await sharp(deep).metadata()).depth, 'ushort');
  assert.deepEqual((await rowsOf(deep))[0], row([luma, 28]));
});

test('an image of 28×28 is unchanged, bit for bit', async () => {
  const bytes = await toPng(IMAGES.subarray(0, 784), DEFAULT_IMAGE_SHAPE);
  const { batch, corrected } = await containImage(bytes);
  assert.deepEqual([batch, corrected], [await decodeImage(bytes), []]);
});

test('applies the EXIF orientation of a 28×28 image', async () => {
  const greys = IMAGES.subarray(0, 784);
  const lying = await sharp(await toPng(greys, DEFAULT_IMAGE_SHAPE))
    .withMetadata({ orientation: 6 })
    .png()
    .toBuffer();
  const { batch, corrected } = await containImage(lying);
  // Orientation 6: the first row of the file is the right column of the upright image.
  const upright = Uint8Array.from(
    { length: 784 },
    (_, i) => greys[(27 - (i % 28)) * 28 + Math.floor(i / 28)]!,
  );
  assert.deepEqual(batch.pixels, upright);
  assert.deepEqual(corrected, [{ code: 'oriented', detail: 'rotated by its EXIF orientation' }]);
  assert.deepEqual((await decodeImage(lying)).pixels, greys);
});

test('an image doubled in size is restored approximately', async () => {
  const smooth = Uint8Array.from(
    { length: 784 },
    (_, i) => 127 + 120 * Math.sin(i / 90) * Math.cos((i % 28) / 9),
  );
  const large = await sharp(await toPng(smooth, DEFAULT_IMAGE_SHAPE))
    .resize(56, 56, { kernel: 'nearest' })
    .png()
    .toBuffer();
  const { batch } = await containImage(large);
  for (const [i, value] of smooth.entries())
    assert.ok(Math.abs(batch.pixels[i]! - value) <= 16, `pixel ${i}`);
});

test('rejects animated images, other files, and images that are too large', async () => {
  const frames = await sharp(
    [await plain(50, 50).png().toBuffer(), await plain(50, 50).negate().png().toBuffer()],
    {
      join: { animated: true },
    },
  )
    .webp()
    .toBuffer();
  await assert.rejects(containImage(frames), isAtelierError('undecodable-image', /animated/));
  await assert.rejects(containImage(Buffer.from('no picture')), isAtelierError('undecodable-image'));
  const cut = (await plain(500, 500).png().toBuffer()).subarray(0, 100);
  await assert.rejects(containImage(cut), isAtelierError('undecodable-image'));
  const huge = await plain(1000, 1001).png({ compressionLevel: 1 }).toBuffer();
  await assert.rejects(
    openAnyImage(huge, MAX_PIXELS),
    isAtelierError('invalid-image-size', /1000×1001 pixels; images of up to 1,000,000/),
  );
});
