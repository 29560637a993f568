import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { AtelierError } from '../../src/errors.ts';
import { openAnyImage, toPng } from '../../src/images/encoded.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../src/numerics/network/image-shape.ts';
import { decodeImage, IMAGES, isAtelierError } from '../datasets/fixtures.ts';

const GREYS = IMAGES.subarray(0, 784);

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

interface PngOptions {
  readonly width?: number;
  readonly height?: number;
  readonly depth?: number;
  readonly colourType?: number;
  readonly before?: readonly Buffer[];
}

/** Writes a PNG without the decoder's own library. `rows` are packed samples without filters. */
function png(rows: readonly Uint8Array[], options: PngOptions = {}): Buffer {
  const { width = 28, height = 28, depth = 8, colourType = 0, before = [] } = options;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colourType], 8);
  const data = deflateSync(Buffer.concat(rows.map((row) => Buffer.concat([Buffer.of(0), row]))));
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    ...before,
    chunk('IDAT', data),
    chunk('IEND', Buffer.of()),
  ]);
}

const rowsOf = (samples: Uint8Array, perRow = samples.length / 28) =>
  Array.from({ length: 28 }, (_, y) => samples.subarray(y * perRow, (y + 1) * perRow));
const each = (pixel: (grey: number) => readonly number[]) => Uint8Array.from([...GREYS].flatMap(pixel));
const uint32 = (value: number) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);

test('a grey PNG gives exactly its bytes, despite gamma and profiles', async () => {
  const gamma = chunk('gAMA', uint32(100_000));
  for (const before of [[], [gamma]]) {
    assert.deepEqual(await decodeImage(png(rowsOf(GREYS), { before })), { count: 1, pixels: GREYS });
  }
  const raw = { raw: { width: 28, height: 28, channels: 3 } } as const;
  const profiled = await sharp(
    each((v) => [v, v, v]),
    raw,
  )
    .withIccProfile('p3')
    .png()
    .toBuffer();
  const { icc } = await sharp(profiled).metadata();
  assert.ok(icc);
  const profile = chunk('iCCP', Buffer.concat([Buffer.from('p3\0\0'), deflateSync(icc)]));
  const coloured = png(rowsOf(each(() => [200, 50, 100])), { colourType: 2, before: [profile] });
  assert.deepEqual((await decodeImage(coloured)).pixels, new Uint8Array(784).fill(101));
});

test('16 bits, alpha, palette and equal colours give the same greys', async () => {
  const same: readonly (readonly [string, Buffer])[] = [
    ['16-bit grey', png(rowsOf(each((v) => [v, v])), { depth: 16 })],
    ['16-bit colour', png(rowsOf(each((v) => [v, v, v, v, v, v])), { depth: 16, colourType: 2 })],
    ['colour', png(rowsOf(each((v) => [v, v, v])), { colourType: 2 })],
    ['opaque grey', png(rowsOf(each((v) => [v, 255])), { colourType: 4 })],
    ['opaque colour', png(rowsOf(each((v) => [v, v, v, 255])), { colourType: 6 })],
    ['grey over black', png(rowsOf(each((v) => [255, v])), { colourType: 4 })],
    ['colour over black', png(rowsOf(each((v) => [255, 255, 255, v])), { colourType: 6 })],
    [
      'palette',
      png(rowsOf(GREYS), {
        colourType: 3,
        before: [chunk('PLTE', Buffer.from(Array.from({ length: 256 }, (_, v) => [v, v, v]).flat()))],
      }),
    ],
  ];
  for (const [name, bytes] of same) assert.deepEqual((await decodeImage(bytes)).pixels, GREYS, name);
});

test('reads one bit per pixel as black and white', async () => {
  const bits = Uint8Array.from({ length: 4 * 28 }, (_, i) => (i % 4 === 3 ? 0b10100000 : 0b10101010));
  const { pixels } = await decodeImage(png(rowsOf(bits), { depth: 1 }));
  assert.deepEqual(
    pixels,
    Uint8Array.from({ length: 784 }, (_, i) => (i % 2 === 0 ? 255 : 0)),
  );
});

test('colours become luma', async () => {
  const primaries = [
    [255, 0, 0, 76],
    [0, 255, 0, 150],
    [0, 0, 255, 29],
    [255, 255, 0, 226],
  ] as const;
  for (const [r, g, b, luma] of primaries) {
    const { pixels } = await decodeImage(png(rowsOf(each(() => [r, g, b])), { colourType: 2 }));
    assert.deepEqual(pixels, new Uint8Array(784).fill(luma));
  }
});

test('reads JPEG and WebP', async () => {
  const raw = { raw: { width: 28, height: 28, channels: 1 } } as const;
  const flat = new Uint8Array(784).fill(100);
  const near = (pixels: ArrayLike<number>, tolerance = 2) =>
    assert.ok(Array.from(pixels).every((v) => Math.abs(v - 100) <= tolerance));
  near((await decodeImage(await sharp(flat, raw).jpeg().toBuffer())).pixels);
  near((await decodeImage(await sharp(flat, raw).toColourspace('cmyk').jpeg().toBuffer())).pixels, 15);
  const lossless = await sharp(GREYS, raw).webp({ lossless: true }).toBuffer();
  assert.deepEqual((await decodeImage(lossless)).pixels, GREYS);
});

test('an image of a data set survives conversion to PNG', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 784, maxLength: 784 }), async (pixels) => {
      const bytes = await toPng(pixels, DEFAULT_IMAGE_SHAPE);
      const { channels, depth } = await sharp(bytes).metadata();
      assert.deepEqual([channels, depth], [1, 'uchar']);
      assert.deepEqual((await decodeImage(bytes)).pixels, pixels);
    }),
    { numRuns: 20 },
  );
});

test('rejects another size and reports it', async () => {
  const bytes = png(
    Array.from({ length: 27 }, () => new Uint8Array(32)),
    { width: 32, height: 27 },
  );
  await assert.rejects(
    decodeImage(bytes),
    isAtelierError('invalid-image-size', /32×27 pixels, but must have 28×28/),
  );
});

test('rejects a bomb by its header, before decoding', async () => {
  const bomb = png([new Uint8Array(30_000)], { width: 30_000, height: 30_000 });
  await assert.rejects(decodeImage(bomb), isAtelierError('invalid-image-size', /30000×30000/));
});

test('other formats never reach a decoder', async () => {
  const base = sharp({ create: { width: 28, height: 28, channels: 3, background: '#204080' } });
  const pictures = {
    gif: await base.gif().toBuffer(),
    tiff: await base.tiff().toBuffer(),
    avif: await base.avif().toBuffer(),
    svg: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"/>'),
    pdf: Buffer.from('%PDF-1.7\n'),
    nothing: Buffer.of(),
    text: Buffer.from('not a picture'),
  };
  for (const [name, bytes] of Object.entries(pictures)) {
    await assert.rejects(decodeImage(bytes), isAtelierError('undecodable-image', /PNG, JPEG or WebP/), name);
  }
});

test('rejects an animated WebP or PNG', async () => {
  const frames = { raw: { width: 28, height: 56, channels: 1, pageHeight: 28 } } as const;
  const webp = await sharp(IMAGES, frames)
    .webp({ delay: [100, 100], lossless: true })
    .toBuffer();
  await assert.rejects(decodeImage(webp), isAtelierError('undecodable-image', /animated/));
  const animation = chunk('acTL', Buffer.from([0, 0, 0, 2, 0, 0, 0, 0]));
  await assert.rejects(
    decodeImage(png(rowsOf(GREYS), { before: [animation] })),
    isAtelierError('undecodable-image', /animated/),
  );
});

test('rejects a truncated image', async () => {
  const noise = Uint8Array.from({ length: 784 }, (_, i) => (i * 7919) % 251);
  const raw = { raw: { width: 28, height: 28, channels: 1 } } as const;
  const pictures = [
    await sharp(noise, raw).jpeg().toBuffer(),
    await sharp(noise, raw).webp().toBuffer(),
    await toPng(noise, DEFAULT_IMAGE_SHAPE),
  ];
  for (const whole of pictures) {
    await assert.rejects(
      decodeImage(whole.subarray(0, whole.length * 0.7)),
      isAtelierError('undecodable-image'),
    );
  }
});

test('a damaged image is decoded or rejected by name', async () => {
  const raw = { raw: { width: 28, height: 28, channels: 1 } } as const;
  const originals = [
    await toPng(GREYS, DEFAULT_IMAGE_SHAPE),
    await sharp(GREYS, raw).jpeg().toBuffer(),
    await sharp(GREYS, raw).webp().toBuffer(),
  ];
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...originals), changes, async (original, changed) => {
      const bytes = Uint8Array.from(original);
      for (const [at, byte] of changed) bytes[at % bytes.length] = byte;
      try {
        assert.equal((await decodeImage(bytes)).pixels.length, 784);
      } catch (error) {
        assert.ok(error instanceof AtelierError, String(error));
      }
    }),
    { numRuns: 300 },
  );
});

test('an image of any size is preprocessed, and may be inverted', async () => {
  const picture = sharp({ create: { width: 4, height: 4, channels: 3, background: '#0a141e' } });
  const bytes = await picture.png().toBuffer();
  const image = await openAnyImage(bytes, 16);
  const decode = (invert: 'never' | 'always') =>
    image.decode({ fit: 'contain', background: 'auto', invert }, [4, 4, 3]);
  const plain = await decode('never');
  const inverted = await decode('always');
  assert.deepEqual([...plain.batch.pixels.subarray(0, 3)], [10, 20, 30]);
  assert.ok(inverted.batch.pixels.every((value, i) => value === 255 - plain.batch.pixels[i]!));
  assert.deepEqual(plain.corrected, []);
  assert.deepEqual(inverted.corrected, [
    { code: 'inverted', detail: 'inverted, as the training images were' },
  ]);
  await assert.rejects(
    openAnyImage(bytes, 15),
    isAtelierError('invalid-image-size', /^The image has 4×4 pixels; images of up to 15 /),
  );
});

test('a grey image gives equal colours, blended over black', async () => {
  const grey = { raw: { width: 1, height: 1, channels: 2 } } as const;
  const bytes = await sharp(Buffer.of(100, 51), grey).toColourspace('b-w').png().toBuffer();
  const opaque = await sharp(Buffer.of(100), { raw: { ...grey.raw, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
  for (const [image, value] of [
    [opaque, 100],
    // An alpha of 51 is a fifth.
    [bytes, 20],
  ] as const) {
    const preprocessing = { fit: 'contain', background: 'black', invert: 'never' } as const;
    const { batch } = await (await openAnyImage(image, 1)).decode(preprocessing, [1, 1, 3]);
    assert.deepEqual([...batch.pixels], [value, value, value]);
  }
});
