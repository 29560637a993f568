/**
 * Decodes a request body of images in any format into one batch.
 * The functions are synchronous, so they can run in any thread.
 */
import type { Correction } from '../domain/predictions/diagnosis.ts';
import { AtelierError } from '../errors.ts';
import type { ImageShape } from '../numerics/network/image-shape.ts';
import { decodeBytes, type ImageBatch, joinBatches } from './batch.ts';
import { decodeJson } from './json-pixels.ts';
import { decodeNpyFiles } from './npy.ts';
import type { PixelOptions } from './pixel-range.ts';

/** Images as sent, except that PNG, JPEG and WebP are already decoded. Can be sent to a thread. */
export type ReceivedImages =
  | NumberImages
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | ({ readonly kind: 'batch'; readonly corrected?: readonly Correction[] } & DecodedImages)
  | {
      readonly kind: 'many';
      readonly parts: readonly ReceivedImages[];
      /** Names of the files of a form, one per part; null for a JSON body. */
      readonly names: readonly string[] | null;
    };

export interface DecodedImages extends ImageBatch {
  /** For each image of a form, the name of the file that held it. */
  readonly files?: readonly string[] | undefined;
}

type NumberImages = { readonly kind: 'json' | 'npy'; readonly bytes: Uint8Array } & PixelOptions;

/** @throws AtelierError as `decodeJson`, `decodeNpyFiles` and `decodeBytes` do */
export function decodeImages(body: ReceivedImages, image: ImageShape): DecodedImages {
  switch (body.kind) {
    case 'json':
      return decodeJson(body.bytes, image, body);
    case 'npy':
      return decodeNpyFiles([body.bytes], image, body)[0]!;
    case 'bytes':
      return decodeBytes(body.bytes, image);
    case 'batch':
      return body;
    case 'many':
      return decodeMany(body.parts, body.names, image);
  }
}

/** One list of corrections per image; empty without `fit`. All files of a form have it, or none does. */
export function listCorrections(body: ReceivedImages): (readonly Correction[])[] {
  if (body.kind === 'many') return body.parts.flatMap(listCorrections);
  return body.kind === 'batch' && body.corrected ? [body.corrected] : [];
}

/** Views of the buffers that hold the images. */
export function bufferViews(body: ReceivedImages): ArrayBufferView[] {
  if (body.kind === 'many') return body.parts.flatMap(bufferViews);
  return [body.kind === 'batch' ? body.pixels : body.bytes];
}

/**
 * Adds the name of the file to an error.
 * @param name undefined if the file is the whole body
 */
export function inFileError(name: string | undefined, error: unknown): unknown {
  if (name === undefined || !(error instanceof AtelierError)) return error;
  const { code, message, details } = error;
  return new AtelierError(code, `File ${name}: ${message}`, { details, cause: error });
}

function decodeMany(
  parts: readonly ReceivedImages[],
  names: readonly string[] | null,
  image: ImageShape,
): DecodedImages {
  const npy = parts.filter((part): part is NumberImages => part.kind === 'npy');
  try {
    const arrays = decodeNpyFiles(
      npy.map((part) => part.bytes),
      image,
      npy[0],
    ).values();
    const batches = parts.map((part) =>
      part.kind === 'npy' ? arrays.next().value! : decodeImages(part, image),
    );
    const files = names && batches.flatMap(({ count }, n) => new Array<string>(count).fill(names[n]!));
    return { ...joinBatches(batches), ...(files && { files }) };
  } catch (error) {
    throw inFileError(names?.[parts.findIndex((part) => failsToDecode(part, image))], error);
  }
}

/** Called only after decoding the whole form has failed, to find the file. */
function failsToDecode(part: ReceivedImages, image: ImageShape): boolean {
  try {
    decodeImages(part, image);
    return false;
  } catch {
    return true;
  }
}
