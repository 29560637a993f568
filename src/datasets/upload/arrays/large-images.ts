/** An uploaded .npy array of images that may be larger than memory: read, checked and decoded in chunks of rows. */
import { type FileHandle, open } from 'node:fs/promises';
import type { NpyArray, NpyData } from '../../../formats/arrays/npy.ts';
import {
  NPY_HEAD_BYTES,
  NPY_VIEWS,
  type NpyHeader,
  readNpyHeader,
} from '../../../formats/arrays/npy-header.ts';
import { type ArrayLayout, toChannelsLast } from '../../../images/array-shape.ts';
import type { ImageBatch } from '../../../images/batch.ts';
import { isFloat, readLayout, toPixels } from '../../../images/npy.ts';
import { inferScale, MAX_AMBIGUOUS, type PixelScale } from '../../../images/pixel-range.ts';
import { type ImageShape, valueCount } from '../../../numerics/network/image-shape.ts';
import { readFully } from '../../tensor-file.ts';
import { fromFortranOrder } from './read-images.ts';

const CHUNK_IMAGES = 1000;

export interface ImageArray extends AsyncDisposable {
  /** Number of images. */
  readonly images: number;
  /** Range of the numbers, as for predictions: the one given, or the one inferred from all floats. */
  inferScale(pixels: PixelScale | undefined): Promise<PixelScale>;
  /** @throws AtelierError `invalid-pixels` */
  decode(start: number, end: number, scale: PixelScale): Promise<ImageBatch>;
}

/** @throws AtelierError `malformed-body`, `invalid-image-size` */
export async function openImageArray(path: string, image: ImageShape): Promise<ImageArray> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const head = new Uint8Array(Math.min(size, NPY_HEAD_BYTES));
    await readFully(file, head, 0);
    const header = readNpyHeader(head, size);
    return createImageArray(file, header, image, readLayout(header.shape, image));
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Checks every number.
 * @returns the number of images and the range of the numbers
 * @throws AtelierError `malformed-body`, `invalid-image-size`, `ambiguous-pixel-range`, `invalid-pixels`
 */
export async function checkImageArray(
  path: string,
  image: ImageShape,
  pixels: PixelScale | undefined,
): Promise<{ images: number; pixels: PixelScale }> {
  await using array = await openImageArray(path, image);
  const scale = await array.inferScale(pixels);
  for (const [start, end] of chunks(array.images)) await array.decode(start, end, scale);
  return { images: array.images, pixels: scale };
}

function createImageArray(
  file: FileHandle,
  header: NpyHeader,
  image: ImageShape,
  layout: ArrayLayout,
): ImageArray {
  const { dtype, shape } = header;
  const images = layout.count;
  const values = valueCount(image);
  const read = header.fortranOrder ? readColumns : readRows;

  /** The elements of the images from `start` to `end` in C order. */
  async function readImages(start: number, end: number): Promise<NpyData> {
    const elements = new NPY_VIEWS[dtype]((end - start) * values);
    await read(file, header, { images, values, start }, new Uint8Array(elements.buffer));
    return elements;
  }

  return {
    images,
    async inferScale(pixels) {
      if (pixels !== undefined || !isFloat({ dtype })) return pixels ?? '0-255';
      let maximum = 0;
      for (const [start, end] of chunks(images)) {
        for (const value of (await readImages(start, end)) as Float32Array)
          if (value > maximum) maximum = value;
        if (maximum > MAX_AMBIGUOUS) break;
      }
      return inferScale([[maximum]], { pointer: '#/pixels', detail: 'set the field pixels to 0-255' });
    },
    async decode(start, end, scale) {
      const array: NpyArray = { data: await readImages(start, end), dtype, shape };
      const place = { first: start * values, choice: 'the field pixels' };
      const pixels = toPixels(array, scale === '0-1', place);
      return { count: end - start, pixels: toChannelsLast(pixels, layout, image) };
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** Images from `start` on, of an array with `images` images of `values` numbers. */
interface Chunk {
  readonly images: number;
  readonly values: number;
  readonly start: number;
}

function* chunks(images: number): Generator<readonly [start: number, end: number]> {
  for (let start = 0; start < images; start += CHUNK_IMAGES)
    yield [start, Math.min(start + CHUNK_IMAGES, images)];
}

async function readRows(
  file: FileHandle,
  { dtype, dataOffset }: NpyHeader,
  { values, start }: Chunk,
  bytes: Uint8Array,
): Promise<void> {
  await readFully(file, bytes, dataOffset + start * values * NPY_VIEWS[dtype].BYTES_PER_ELEMENT);
}

/** In Fortran order the same value of consecutive images is contiguous: the index of the image runs fastest. */
async function readColumns(
  file: FileHandle,
  { dtype, shape, dataOffset }: NpyHeader,
  { images, values, start }: Chunk,
  bytes: Uint8Array,
): Promise<void> {
  const item = NPY_VIEWS[dtype].BYTES_PER_ELEMENT;
  // A single image has no number of images.
  const isAlone = shape.reduce((product, size) => product * size, 1) === values;
  const toRows = fromFortranOrder(isAlone ? shape : shape.slice(1));
  const column = new Uint8Array(bytes.length / values);
  for (let place = 0; place < values; place++) {
    await readFully(file, column, dataOffset + (place * images + start) * item);
    for (let from = 0, to = toRows(place) * item; from < column.length; from += item, to += values * item)
      for (let byte = 0; byte < item; byte++) bytes[to + byte] = column[from + byte]!;
  }
}
