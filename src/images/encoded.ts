/** Converts PNG, JPEG, WebP and, for data sets, GIF, TIFF and AVIF to pixels, and pixels to PNG. */
import type { Metadata, Sharp } from 'sharp';
import type { Correction } from '../domain/predictions/diagnosis.ts';
import type { Preprocessing } from '../domain/predictions/preprocessing.ts';
import { AtelierError } from '../errors.ts';
import type { Raster } from '../formats/drawing/raster.ts';
import { describeFile, KIND_BYTES } from '../formats/file-kinds.ts';
import { channelCount, type ImageShape } from '../numerics/network/image-shape.ts';
import type { ImageBatch } from './batch.ts';
import { borderMedians, centre, describeResize, invertPixels, type Size } from './place.ts';
import { imageSlots } from './slots.ts';

/** Loads the library on first use: it takes 45 ms and 8 MiB. */
async function loadSharp() {
  const { default: sharp } = await import('sharp');
  // All other decoders are blocked, such as the one of SVG. Requests to predict do not reach those of GIF, TIFF and AVIF.
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({
    operation: ['Png', 'Jpeg', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}Buffer`),
  });
  // libvips would keep the last hundred images open, with all memory of their decoders.
  sharp.cache(false);
  return sharp;
}

/** Formats of the images of a request, with their kinds in `describeFile`. */
const REQUEST_FORMATS = { 'a PNG image': 'PNG', 'a JPEG image': 'JPEG', 'a WebP image': 'WebP' };
/** Formats of the images of a data set: its sender may use more memory and time. */
const DATASET_FORMATS = {
  ...REQUEST_FORMATS,
  'a GIF image': 'GIF',
  'a TIFF image': 'TIFF',
  'an AVIF image': 'AVIF',
};
type Formats = Readonly<Record<string, string>>;

const listFormats = (formats: Formats) =>
  Object.values(formats)
    .join(', ')
    .replace(/, (\w+)$/, ' or $1');
/** For messages: "PNG, JPEG, …". */
export const DATASET_FORMAT_NAMES = listFormats(DATASET_FORMATS);

let loaded: ReturnType<typeof loadSharp> | undefined;
const useSharp = () => (loaded ??= loadSharp());

/** An encoded image whose header has been read and accepted. */
export interface OpenedImage<Decoded = DecodedImage, Settings extends unknown[] = []> {
  readonly pixels: number;
  /** Estimated memory that decoding takes. */
  readonly decodingBytes: number;
  /** @throws AtelierError `undecodable-image` */
  decode(...settings: Settings): Promise<Decoded>;
}

export interface DecodedImage {
  readonly batch: ImageBatch;
  readonly corrected: readonly Correction[];
}

export interface PreprocessedImage extends DecodedImage {
  /** Median grey of the border of the resized image, 0–255. */
  readonly border: number;
}

/**
 * Reads the header of an image that must have the size of `shape`. For a grey shape, colour becomes luma, as in PIL's
 * convert('L'); for colour, grey is repeated. Transparency becomes black, the background of the data. An 8-bit PNG with the
 * channels of the shape decodes to exactly its bytes: profiles, gamma and orientation are not applied.
 * @throws AtelierError `undecodable-image`, `invalid-image-size`
 */
export async function openImage(bytes: Uint8Array, shape: ImageShape): Promise<OpenedImage> {
  const header = await readHeader(bytes, REQUEST_FORMATS);
  assertImageSize(header, shape);
  const size = shape[0] * shape[1];
  return {
    pixels: size,
    decodingBytes: decodingBytes(header),
    decode: async () => ({
      batch: {
        count: 1,
        pixels: (await render(await openDecoder(bytes, size), shape, REQUEST_FORMATS)).pixels,
      },
      corrected: [],
    }),
  };
}

/**
 * Reads the header of an image of any size. Decoding applies its EXIF orientation and the preprocessing to the shape; the
 * result is the same for a data set and for a prediction.
 * @param use decides the formats: REQUEST_FORMATS or DATASET_FORMATS
 * @throws AtelierError `undecodable-image`, or `invalid-image-size` if it has more than `maxPixels`
 */
export async function openAnyImage(
  bytes: Uint8Array,
  maxPixels: number,
  use: 'request' | 'dataset' = 'request',
): Promise<OpenedImage<PreprocessedImage, [Preprocessing, ImageShape]> & Size> {
  const formats = use === 'request' ? REQUEST_FORMATS : DATASET_FORMATS;
  const header = await readHeader(bytes, formats);
  const pixels = header.width * header.height;
  if (pixels > maxPixels) {
    throw new AtelierError(
      'invalid-image-size',
      `The image has ${header.width}×${header.height} pixels; images of up to ${maxPixels.toLocaleString('en')} pixels are resized. ` +
        'Resize it before sending it.',
    );
  }
  return {
    pixels,
    width: header.autoOrient.width,
    height: header.autoOrient.height,
    decodingBytes: decodingBytes(header),
    decode: (preprocessing, shape) => preprocessImage(bytes, header, preprocessing, shape, formats),
  };
}

/** Measured bytes per pixel of decoders that always keep the whole image, of AVIF also as the planes of several frames. */
const WHOLE_IMAGE_BYTES: Readonly<Record<string, number>> = { webp: 5, gif: 5, heif: 20 };

/**
 * Measured. Other decoders read rows as they are needed, except that interlaced PNG, progressive JPEG and TIFF in one
 * strip keep the whole image: JPEG as coefficients of two bytes.
 */
function decodingBytes({ width, height, format, isProgressive, channels, depth }: Metadata): number {
  const sampleBytes = format === 'jpeg' || depth === 'ushort' ? 2 : 1;
  const kept = isProgressive || format === 'tiff' ? channels * sampleBytes : 0;
  return width * height * (WHOLE_IMAGE_BYTES[format] ?? kept + 2);
}

async function preprocessImage(
  bytes: Uint8Array,
  header: Metadata,
  { fit, background, invert }: Preprocessing,
  shape: ImageShape,
  formats: Formats,
): Promise<PreprocessedImage> {
  const { autoOrient, orientation = 1, hasAlpha } = header;
  const { width, height } = autoOrient;
  const corrected: Correction[] = [];
  if (orientation > 1) corrected.push({ code: 'oriented', detail: 'rotated by its EXIF orientation' });
  let image = (await openDecoder(bytes, width * height)).autoOrient();
  // libvips would flatten an opaque grey image to colours. That costs only time.
  if (hasAlpha) image = image.flatten({ background: background === 'black' ? 'black' : 'white' });
  const isResized = width !== shape[1] || height !== shape[0];
  // JPEG and WebP are shrunk while they are decoded, because nothing before the resizing needs all pixels.
  if (isResized) image = image.resize(shape[1], shape[0], { fit: RESIZE[fit] });
  const { pixels: content, size } = await render(image, shape, formats);
  if (isResized) corrected.push({ code: 'resized', detail: describeResize(fit, autoOrient, size, shape) });
  const channels = channelCount(shape);
  const border = borderMedians(content, size, channels);
  const around = background === 'auto' ? border : border.fill(background === 'black' ? 0 : 255);
  const pixels = centre(content, size, around, shape);
  if (invert === 'always') {
    invertPixels(pixels);
    corrected.push({ code: 'inverted', detail: 'inverted, as the training images were' });
  }
  return { batch: { count: 1, pixels }, corrected, border: toGrey(border, 0, channels) };
}

/** Each fit in the terms of sharp. */
const RESIZE = { contain: 'inside', cover: 'cover', stretch: 'fill' } as const;

/** @param limitInputPixels from the checked header */
async function openDecoder(bytes: Uint8Array, limitInputPixels: number): Promise<Sharp> {
  const sharp = await useSharp();
  return sharp(bytes, { limitInputPixels, failOn: 'warning', ignoreIcc: true });
}

/** Renders to one byte per value. Channels of 16 bits are reduced to their upper 8; palettes and CMYK become RGB. */
async function render(
  image: Sharp,
  shape: ImageShape,
  formats: Formats,
): Promise<{ pixels: Uint8Array; size: Size }> {
  const { data, info } = await asUndecodable(
    () => image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true }),
    formats,
  );
  const { width, height, channels } = info;
  const size = width * height;
  const wanted = channelCount(shape);
  const pixels = new Uint8Array(size * wanted);
  if (wanted === 1) for (let i = 0; i < size; i++) pixels[i] = toGrey(data, i * channels, channels);
  else for (let i = 0; i < size; i++) setColour(pixels, 3 * i, data, i * channels, channels);
  return { pixels, size: { width, height } };
}

/**
 * Encodes an 8-bit PNG, grey or in colour, that decodes to exactly these bytes.
 * @param signal ends the waiting for a slot
 * @throws AtelierError `overloaded`; the reason of the signal
 */
export function toPng(pixels: Uint8Array, shape: ImageShape, signal?: AbortSignal): Promise<Buffer> {
  const [height, width] = shape;
  const raw = { width, height, channels: channelCount(shape) };
  return imageSlots(1, width * height).run(async () => {
    const sharp = await useSharp();
    const space = shape.length === 3 ? 'srgb' : 'b-w';
    return sharp(pixels, { raw }).toColourspace(space).png().toBuffer();
  }, signal);
}

/** Encodes a drawn colour image. */
export function rasterToPng({ width, height, rgb }: Raster, signal?: AbortSignal): Promise<Buffer> {
  return imageSlots(1, width * height).run(async () => {
    const sharp = await useSharp();
    return sharp(rgb, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
  }, signal);
}

/** Reads the header, without decoding the image. Of a GIF, only the first frame is read later. */
async function readHeader(bytes: Uint8Array, formats: Formats): Promise<Metadata> {
  const kind = describeFile(bytes.subarray(0, KIND_BYTES));
  if (kind === undefined || !(kind in formats)) {
    const found = kind === undefined ? 'its format is' : `it is ${kind},`;
    throw undecodable(
      kind === 'an empty file' ? 'it is empty' : `${found} not ${listFormats(formats)}`,
      formats,
    );
  }
  const sharp = await useSharp();
  const metadata = await asUndecodable(() => sharp(bytes, { limitInputPixels: false }).metadata(), formats);
  const { format, pages = 1, depth } = metadata;
  if ((pages > 1 && format !== 'gif') || isAnimatedPng(bytes)) {
    throw new AtelierError(
      'undecodable-image',
      'The image is animated. Send a still image, or several files.',
    );
  }
  if (depth !== 'uchar' && depth !== 'ushort') throw undecodable(`its samples are of type ${depth}`, formats);
  return metadata;
}

function assertImageSize({ width, height }: Metadata, shape: ImageShape): void {
  if (width === shape[1] && height === shape[0]) return;
  throw new AtelierError(
    'invalid-image-size',
    `The image has ${width}×${height} pixels, but must have ${shape[1]}×${shape[0]}. Resize it before sending it, or set ?fit=contain.`,
  );
}

/** libvips silently reads the first frame of an animated PNG. The acTL chunk precedes the pixels. */
function isAnimatedPng(bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return (
    file.toString('latin1', 0, 8) === '\x89PNG\r\n\x1a\n' &&
    file.subarray(0, file.indexOf('IDAT')).includes('acTL')
  );
}

/** ITU-R 601 luma in 16-bit fixed point, exact for equal channels, then blended over black. */
function toGrey(data: ArrayLike<number>, at: number, channels: number): number {
  const colours = channels < 3 ? 1 : 3;
  const grey =
    colours === 1
      ? data[at]!
      : (data[at]! * 19_595 + data[at + 1]! * 38_470 + data[at + 2]! * 7_471 + 0x8000) >> 16;
  return channels === colours ? grey : Math.round((grey * data[at + colours]!) / 255);
}

/** Writes red, green and blue, blended over black. Grey is repeated. */
function setColour(pixels: Uint8Array, to: number, data: Uint8Array, at: number, channels: number): void {
  const colours = channels < 3 ? 1 : 3;
  const alpha = channels === colours ? 255 : data[at + colours]!;
  for (let c = 0; c < 3; c++)
    pixels[to + c] = Math.round((data[at + (colours === 1 ? 0 : c)]! * alpha) / 255);
}

async function asUndecodable<T>(decode: () => Promise<T>, formats: Formats): Promise<T> {
  try {
    return await decode();
  } catch (cause) {
    throw undecodable('it is damaged or truncated', formats, cause);
  }
}

function undecodable(defect: string, formats: Formats, cause?: unknown): AtelierError {
  const message = `The image cannot be decoded: ${defect}. Send a complete ${listFormats(formats)}.`;
  return new AtelierError('undecodable-image', message, { cause });
}
