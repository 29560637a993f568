/** PNG, JPEG and WebP ↔ pixels. */
import sharp, { type Metadata } from 'sharp';
import { IMAGE_PIXELS, IMAGE_SIDE } from '../domain/dataset.ts';
import { AtelierError } from '../errors.ts';
import type { Raster } from '../formats/drawing/raster.ts';
import type { ImageBatch } from './image-batch.ts';

// Nothing else is ever handed to its decoder: SVG, PDF and TIFF readers are large and have seen much.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['VipsForeignLoadPngBuffer', 'VipsForeignLoadJpegBuffer', 'VipsForeignLoadWebpBuffer'],
});

/**
 * One 28×28 picture; colour becomes luma as in PIL's convert('L'), transparency black as the data's background.
 * A grey 8-bit PNG gives exactly its bytes: profiles, gamma and orientation are not applied.
 * @throws AtelierError `undecodable-image`, `invalid-image-size`
 */
export async function fromPicture(bytes: Uint8Array): Promise<ImageBatch> {
  refuseSize(await attempt(() => sharp(bytes, { limitInputPixels: false }).metadata()), bytes);
  const options = { limitInputPixels: IMAGE_PIXELS, failOn: 'warning', ignoreIcc: true } as const;
  // 16 bits become 8 by dropping the lower ones; palettes, greys and CMYK become RGB.
  const { data, info } = await attempt(() =>
    sharp(bytes, options).raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true }),
  );
  const pixels = new Uint8Array(IMAGE_PIXELS);
  for (let i = 0; i < IMAGE_PIXELS; i++) pixels[i] = greyOf(data, i * info.channels, info.channels);
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

/** From the header alone, before anything is decoded. */
function refuseSize({ width, height, pages }: Metadata, bytes: Uint8Array): void {
  if (width !== IMAGE_SIDE || height !== IMAGE_SIDE) {
    throw new AtelierError(
      'invalid-image-size',
      `The picture is ${width}×${height} pixels; 28×28 is allowed. Resize it before sending it.`,
    );
  }
  if ((pages ?? 1) > 1 || isAnimatedPng(bytes)) {
    throw new AtelierError(
      'undecodable-image',
      'The picture is animated. Send one still picture, or several files.',
    );
  }
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
function greyOf(data: Uint8Array, at: number, channels: number): number {
  const colours = channels < 3 ? 1 : 3;
  const grey =
    colours === 1
      ? data[at]!
      : (data[at]! * 19_595 + data[at + 1]! * 38_470 + data[at + 2]! * 7_471 + 0x8000) >> 16;
  return channels === colours ? grey : Math.round((grey * data[at + colours]!) / 255);
}

async function attempt<T>(decode: () => Promise<T>): Promise<T> {
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
