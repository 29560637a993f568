/** Decodes the encoded images of a request, after their sizes have been checked. */

import type { Preprocessing } from '../../domain/predictions/preprocessing.ts';
import { AtelierError } from '../../errors.ts';
import { inFileError } from '../../images/decode.ts';
import { type DecodedImage, type OpenedImage, openAnyImage, openImage } from '../../images/encoded.ts';
import type { EncodedFile } from '../../images/sent.ts';
import { imageSlots } from '../../images/slots.ts';
import type { ImageShape } from '../../numerics/network/image-shape.ts';
import type { MemoryLedger } from '../memory/ledger.ts';

/** Limit of the pixels of a form or a JSON body of images that are resized, in images of the largest size. */
export const MAX_FORM_IMAGES = 4;

/**
 * Decodes all files or none. All headers are read before any image is decoded; then large images wait for each other,
 * and small ones do not wait for large ones.
 * @param preprocessing of images of any size; null if they must have the size of `shape`
 * @param signal called only if the request must wait or is not a single small image; an abort ends the waiting, or the decoding
 *   before the next file
 * @throws AtelierError `undecodable-image`, `invalid-image-size`, `body-too-large`, `overloaded` or
 *   `impossible-request`; the reason of the signal
 */
export type DecodeFiles = (
  files: readonly EncodedFile[],
  preprocessing: Preprocessing | null,
  shape: ImageShape,
  signal: () => AbortSignal,
) => Promise<DecodedImage[]>;

/**
 * @param memory large images reserve what decoding one of them takes
 * @param maxPixels limit of an image that is resized
 */
export function createImageDecoder(memory: MemoryLedger, maxPixels: number): DecodeFiles {
  /** @returns the images, and their number of pixels */
  async function openAll(
    files: readonly EncodedFile[],
    preprocessing: Preprocessing | null,
    shape: ImageShape,
  ) {
    const images: OpenedImage[] = [];
    let pixels = 0;
    for (const file of files) {
      const image = await inFile(file, () =>
        preprocessing === null ? openImage(file.bytes, shape) : openToResize(file, preprocessing, shape),
      );
      images.push(image);
      pixels += image.pixels;
      if (pixels > maxPixels * MAX_FORM_IMAGES) throw tooManyPixels(file, pixels);
    }
    return { images, pixels };
  }

  async function openToResize(
    { bytes }: EncodedFile,
    preprocessing: Preprocessing,
    shape: ImageShape,
  ): Promise<OpenedImage> {
    const image = await openAnyImage(bytes, maxPixels);
    return { ...image, decode: () => image.decode(preprocessing, shape) };
  }

  function tooManyPixels({ name, pointer }: EncodedFile, pixels: number): AtelierError {
    const most = (maxPixels * MAX_FORM_IMAGES).toLocaleString('en');
    return new AtelierError(
      'body-too-large',
      `The images up to ${pointer ?? `file ${name}`} have ${pixels.toLocaleString('en')} pixels; the limit of a request whose images are resized is ${most}. ` +
        'Make the images smaller before sending them, or send fewer at a time.',
    );
  }

  /** The images of a request are decoded one after the other. */
  function reserve(images: readonly OpenedImage[]): Disposable {
    const bytes = images.reduce((most, image) => Math.max(most, image.decodingBytes), 0);
    return memory.reserve(bytes, {
      what: 'Decoding the image',
      advice: 'Resize it before sending it, or save it without interlacing or progressive scans.',
    });
  }

  async function decodeAll(
    files: readonly EncodedFile[],
    images: readonly OpenedImage[],
    signal: AbortSignal | undefined,
  ): Promise<DecodedImage[]> {
    const decoded: DecodedImage[] = [];
    for (const [n, image] of images.entries()) {
      signal?.throwIfAborted();
      decoded.push(await inFile(files[n]!, image.decode));
    }
    return decoded;
  }

  return async (files, preprocessing, shape, signal) => {
    const slots = imageSlots(files.length, 0);
    using slot = new DisposableStack();
    slot.use(slots.tryAcquire() ?? (await slots.acquire(signal())));
    const { images, pixels } = await openAll(files, preprocessing, shape);
    const needed = imageSlots(files.length, pixels);
    if (needed === slots) return await decodeAll(files, images, files.length > 1 ? signal() : undefined);
    slot.dispose();
    const aborted = signal();
    using _large = await needed.acquire(aborted);
    using _reserved = reserve(images);
    return await decodeAll(files, images, aborted);
  };
}

async function inFile<T>({ name, pointer }: EncodedFile, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw pointer === undefined ? inFileError(name, error) : atPointerError(pointer, error);
  }
}

function atPointerError(pointer: string, error: unknown): unknown {
  if (!(error instanceof AtelierError)) return error;
  const { code, message } = error;
  const details = [{ pointer, detail: message }];
  return new AtelierError(code, `${pointer}: ${message}`, { details, cause: error });
}
