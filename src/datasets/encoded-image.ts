/** PNG, JPEG and WebP ↔ pixels. */
import sharp, { type Metadata, type Sharp } from 'sharp';
import { IMAGE_PIXELS, IMAGE_SIDE } from '../domain/dataset.ts';
import type { Correction } from '../domain/diagnosis.ts';
import { AtelierError } from '../errors.ts';
import type { Raster } from '../formats/drawing/raster.ts';
import type { ImageBatch } from './image-batch.ts';

// Nothing else is ever handed to its decoder: SVG, PDF and TIFF readers are large and have seen much.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['VipsForeignLoadPngBuffer', 'VipsForeignLoadJpegBuffer', 'VipsForeignLoadWebpBuffer'],
});

/** As many as a large camera's; they are decoded a few rows at a time where the format allows it. */
export const MAX_CONTAINED_PIXELS = 50_000_000;

/**
 * One 28×28 picture; colour becomes luma as in PIL's convert('L'), transparency black as the data's background.
 * A grey 8-bit PNG gives exactly its bytes: profiles, gamma and orientation are not applied.
 * @throws AtelierError `undecodable-image`, `invalid-image-size`
 */
export async function decodeImage(bytes: Uint8Array): Promise<ImageBatch> {
  const metadata = await readHeader(bytes);
  assertImageSize(metadata);
  const options = { limitInputPixels: IMAGE_PIXELS, failOn: 'warning', ignoreIcc: true } as const;
  return renderPixels(sharp(bytes, options));
}

/**
 * As `fromPicture`, of a picture of any size: turned as its camera says, and a larger or smaller one made to fit
 * 28×28 as a whole, the rest of which is black.
 * @throws AtelierError `undecodable-image`, `invalid-image-size` where it has more than 50 million pixels
 */
export async function containImage(
  bytes: Uint8Array,
): Promise<{ readonly batch: ImageBatch; readonly corrected: readonly Correction[] }> {
  const { width, height, autoOrient, orientation = 1 } = await readHeader(bytes);
  const oriented: readonly Correction[] =
    orientation > 1 ? [{ code: 'oriented', detail: 'turned as its EXIF orientation says' }] : [];
  const options = { limitInputPixels: MAX_CONTAINED_PIXELS, failOn: 'warning', ignoreIcc: true } as const;
  if (width === IMAGE_SIDE && height === IMAGE_SIDE)
    return { batch: await renderPixels(sharp(bytes, options).autoOrient()), corrected: oriented };
  if (width * height > MAX_CONTAINED_PIXELS) {
    throw new AtelierError(
      'invalid-image-size',
      `The picture is ${width}×${height} pixels; ?fit=contain takes up to 50 million. Make it smaller before sending it.`,
    );
  }
  const batch = await renderPixels(
    sharp(bytes, options)
      .autoOrient()
      .flatten({ background: 'black' })
      .resize(IMAGE_SIDE, IMAGE_SIDE, { fit: 'contain', background: 'black' }),
  );
  const scale = IMAGE_SIDE / Math.max(autoOrient.width, autoOrient.height);
  const [across, down] = [autoOrient.width, autoOrient.height].map((side) =>
    Math.max(1, Math.round(side * scale)),
  );
  const detail = `from ${autoOrient.width}×${autoOrient.height} to ${across}×${down}, in the middle of 28×28`;
  return { batch, corrected: [...oriented, { code: 'resized', detail }] };
}

/**
 * How many it has, before anything is decoded.
 * @throws AtelierError `undecodable-image`
 */
export async function countPixels(bytes: Uint8Array): Promise<number> {
  const { width, height } = await readHeader(bytes);
  return width * height;
}

/** 16 bits become 8 by dropping the lower ones; palettes, greys and CMYK become RGB. */
async function renderPixels(picture: Sharp): Promise<ImageBatch> {
  const { data, info } = await asUndecodable(() =>
    picture.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true }),
  );
  const pixels = new Uint8Array(IMAGE_PIXELS);
  for (let i = 0; i < IMAGE_PIXELS; i++) pixels[i] = toGrey(data, i * info.channels, info.channels);
  return { count: 1, pixels };
}

/** A grey 8-bit PNG that decodes to exactly these 784 bytes. */
export function toPng(pixels: Uint8Array): Promise<Buffer> {
  const raw = { width: IMAGE_SIDE, height: IMAGE_SIDE, channels: 1 } as const;
  return sharp(pixels, { raw }).toColourspace('b-w').png().toBuffer();
}

/** A colour picture that was drawn. */
export function rasterToPng({ width, height, rgb }: Raster): Promise<Buffer> {
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** Before anything is decoded. */
async function readHeader(bytes: Uint8Array): Promise<Metadata> {
  const metadata = await asUndecodable(() => sharp(bytes, { limitInputPixels: false }).metadata());
  if ((metadata.pages ?? 1) > 1 || isAnimatedPng(bytes)) {
    throw new AtelierError(
      'undecodable-image',
      'The picture is animated. Send one still picture, or several files.',
    );
  }
  return metadata;
}

function assertImageSize({ width, height }: Metadata): void {
  if (width === IMAGE_SIDE && height === IMAGE_SIDE) return;
  throw new AtelierError(
    'invalid-image-size',
    `The picture is ${width}×${height} pixels; 28×28 is allowed. Resize it before sending it, or ask for ?fit=contain.`,
  );
}

/** libvips reads the first frame of an animated PNG and does not tell. The mark stands before the pixels. */
function isAnimatedPng(bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return (
    file.toString('latin1', 0, 8) === '\x89PNG\r\n\x1a\n' &&
    file.subarray(0, file.indexOf('IDAT')).includes('acTL')
  );
}

/** ITU-R 601 luma in 16-bit fixed point, exact for equal channels; then over black. */
function toGrey(data: Uint8Array, at: number, channels: number): number {
  const colours = channels < 3 ? 1 : 3;
  const grey =
    colours === 1
      ? data[at]!
      : (data[at]! * 19_595 + data[at + 1]! * 38_470 + data[at + 2]! * 7_471 + 0x8000) >> 16;
  return channels === colours ? grey : Math.round((grey * data[at + colours]!) / 255);
}

async function asUndecodable<T>(decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0]!.slice(0, 200) : String(cause);
    throw new AtelierError(
      'undecodable-image',
      `The picture cannot be decoded: ${reason}. A whole PNG, JPEG or WebP is needed.`,
      { cause },
    );
  }
}
