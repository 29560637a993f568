/** Images as TensorFlow Serving and MLflow have them in JSON: by row (`instances`) or by column (`inputs`). */

import { decodeImage } from '../datasets/encoded-image.ts';
import { FLOAT32_ROUNDING, type ImageBatch, inferScale, joinBatches } from '../datasets/image-batch.ts';
import { rejectAt } from '../formats/json-limits.ts';
import { type NestedTensor, readNested } from '../formats/nested-numbers.ts';
import { fromTensor } from './tensor-images.ts';

/** Each is decoded by itself. */
export const MAX_ENCODED_IMAGES = 1000;
/** Of the one input: that of a tensor, and that of pictures, whose names end like this by TensorFlow's custom. */
const NAMES = ['image', 'image_bytes'];

/**
 * One image an element: numbers, a picture as `{ "b64": … }`, or `{ "image": … }` of either.
 * @throws AtelierError `invalid-request`, `invalid-image-size`, `invalid-pixels`, `ambiguous-pixel-range`,
 *   `undecodable-image`
 */
export async function fromRows(rows: unknown, pointer: string): Promise<ImageBatch> {
  if (!Array.isArray(rows) || rows.length === 0) {
    return rejectAt(pointer, 'has to be an array of at least one image');
  }
  const images = rows.map((row: unknown, n) => unwrap(row, `${pointer}/${n}`));
  if (images.some(isEncodedImage)) return fromEncodedImages(images, pointer);
  return fromNumbers(readNested(images, pointer), pointer, false);
}

/**
 * All images in one value: a tensor, also that of one image alone, or pictures as `{ "b64": … }`.
 * @throws AtelierError as `fromRows` does
 */
export async function fromColumn(column: unknown, pointer: string): Promise<ImageBatch> {
  const images = unwrap(column, pointer);
  if (isEncodedImage(images)) return fromEncodedImages([images], pointer);
  if (Array.isArray(images) && images.some(isEncodedImage)) return fromEncodedImages(images, pointer);
  return fromNumbers(readNested(images, pointer), pointer, true);
}

/** Numbers of JSON or CSV, of which nobody says the scale. */
export function fromNumbers(tensor: NestedTensor, name: string, single: boolean): ImageBatch {
  const scale = inferScale([tensor.values]);
  return fromTensor(tensor, { name, scale, rounding: FLOAT32_ROUNDING, single });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isEncodedImage = (value: unknown): value is { b64: unknown } =>
  isObject(value) && Object.hasOwn(value, 'b64');

function unwrap(value: unknown, pointer: string): unknown {
  if (!isObject(value) || isEncodedImage(value)) return value;
  const names = Object.keys(value);
  const [name] = names;
  if (names.length !== 1 || !NAMES.includes(name!)) {
    rejectAt(pointer, `is an object with other fields than the one input, ${NAMES.join(' or ')}`);
  }
  return value[name!];
}

async function fromEncodedImages(images: readonly unknown[], pointer: string): Promise<ImageBatch> {
  if (images.length > MAX_ENCODED_IMAGES) {
    rejectAt(
      pointer,
      `holds ${images.length} pictures; at most ${MAX_ENCODED_IMAGES} are taken, or send numbers`,
    );
  }
  const batches: ImageBatch[] = [];
  for (const [n, image] of images.entries()) {
    if (!isEncodedImage(image)) return rejectAt(`${pointer}/${n}`, 'is numbers, while others are pictures');
    if (typeof image.b64 !== 'string') return rejectAt(`${pointer}/${n}/b64`, 'is no text in Base64');
    // Buffer.from passes over what is none. Both alphabets are taken, and line ends.
    const stray = /[^\w+/=\s-]/.exec(image.b64);
    if (stray) {
      const found = JSON.stringify(stray[0]);
      return rejectAt(`${pointer}/${n}/b64`, `is not Base64: it has ${found} at ${stray.index}`);
    }
    batches.push(await decodeImage(Buffer.from(image.b64, 'base64')));
  }
  return joinBatches(batches);
}
