/** Decodes the encoded images of a request, for all protocols: afterwards any thread can read all of its images. */
import type { Preprocessing } from '../../domain/predictions/preprocessing.ts';
import type { ReceivedImages } from '../../images/decode.ts';
import { readEncodedJson } from '../../images/json-encoded.ts';
import type { EncodedImage, SentImages } from '../../images/sent.ts';
import type { ImageShape } from '../../numerics/network/image-shape.ts';
import type { PredictionPool } from '../../workers/pools.ts';
import type { DecodeFiles } from './image-decoder.ts';

/** Enough for 64 images as JSON or float32; more is read in a worker thread. */
export const MAX_INLINE_BYTES = 256 * 1024;

/**
 * Images as numbers are returned as they are.
 * @param images their buffers may be transferred to a worker
 * @param preprocessing of encoded images of any size; null if they must have the size of `shape`
 * @param signal called only if the request must wait
 * @throws AtelierError `malformed-body`, `invalid-request`, `unsupported-media-type`, and the errors of `DecodeFiles`
 */
export type PrepareImages = (
  images: SentImages,
  preprocessing: Preprocessing | null,
  shape: ImageShape,
  signal: () => AbortSignal,
) => Promise<ReceivedImages>;

export function createImagePreparer(pool: PredictionPool, decodeFiles: DecodeFiles): PrepareImages {
  async function readJson(bytes: Uint8Array, signal: () => AbortSignal): Promise<readonly EncodedImage[]> {
    return bytes.length <= MAX_INLINE_BYTES
      ? readEncodedJson(bytes)
      : pool.run('readEncoded', { bytes }, signal(), [bytes]);
  }

  async function decode(
    images: Extract<SentImages, { kind: 'encoded-json' | 'parts' }>,
    preprocessing: Preprocessing | null,
    shape: ImageShape,
    signal: () => AbortSignal,
  ): Promise<ReceivedImages> {
    const [parts, names] =
      images.kind === 'parts' ? [images.parts, images.names] : [await readJson(images.bytes, signal), null];
    const encoded = parts.filter((part) => part.kind === 'encoded');
    const decoded = encoded.length === 0 ? [] : await decodeFiles(encoded, preprocessing, shape, signal);
    const rest = decoded.values();
    return {
      kind: 'many',
      names,
      parts: parts.map((part) => {
        if (part.kind !== 'encoded') return part;
        const { batch, corrected } = rest.next().value!;
        return { kind: 'batch', ...batch, corrected };
      }),
    };
  }

  return async (images, preprocessing, shape, signal) =>
    images.kind === 'encoded-json' || images.kind === 'parts'
      ? decode(images, preprocessing, shape, signal)
      : images;
}
