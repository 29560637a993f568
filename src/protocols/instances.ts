/** Images in JSON of TensorFlow Serving and MLflow: rows (`instances`), columns (`inputs`). */
import { fromBase64, MAX_ENCODED_IMAGES } from '../datasets/base64-image.ts';
import { decodeImage } from '../datasets/encoded-image.ts';
import { FLOAT32_ROUNDING, type ImageBatch, inferScale, joinBatches } from '../datasets/image-batch.ts';
import { imageSlots } from '../datasets/image-slots.ts';
import { IMAGE_PIXELS } from '../domain/dataset.ts';
import { rejectAt } from '../formats/json-limits.ts';
import { type NestedTensor, readNested } from '../formats/nested-numbers.ts';
import { fromTensor } from './tensor-images.ts';

/** Accepted names of the input. TensorFlow marks inputs of Base64 data with the suffix `_bytes`. */
const NAMES = ['image', 'image_bytes'];

/**
 * One image per element: numbers, an encoded image as `{ "b64": … }`, or `{ "image": … }` around either.
 * @throws AtelierError `invalid-request`, `invalid-image-size`, `invalid-pixels`, `ambiguous-pixel-range`,
 *   `undecodable-image`
 */
export async function fromRows(
  rows: unknown,
  pointer: string,
  signal?: () => AbortSignal,
): Promise<ImageBatch> {
  if (!Array.isArray(rows) || rows.length === 0) {
    return rejectAt(pointer, 'must be an array of at least one image');
  }
  const images = rows.map((row: unknown, n) => unwrap(row, `${pointer}/${n}`));
  if (images.some(isEncodedImage)) return fromEncodedImages(images, pointer, signal);
  return fromNumbers(readNested(images, pointer), pointer, false);
}

/**
 * All images in one value: a tensor, which may be a single image, or encoded images as `{ "b64": … }`.
 * @throws AtelierError see `fromRows`
 */
export async function fromColumn(
  column: unknown,
  pointer: string,
  signal?: () => AbortSignal,
): Promise<ImageBatch> {
  const images = unwrap(column, pointer);
  if (isEncodedImage(images)) return fromEncodedImages([images], pointer, signal);
  if (Array.isArray(images) && images.some(isEncodedImage)) return fromEncodedImages(images, pointer, signal);
  return fromNumbers(readNested(images, pointer), pointer, true);
}

/** Numbers from JSON or CSV; their scale is inferred, because the request does not state it. */
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
    rejectAt(pointer, `must be an object with one field, ${NAMES.join(' or ')}`);
  }
  return value[name!];
}

async function fromEncodedImages(
  images: readonly unknown[],
  pointer: string,
  signal?: () => AbortSignal,
): Promise<ImageBatch> {
  if (images.length > MAX_ENCODED_IMAGES) {
    rejectAt(
      pointer,
      `holds ${images.length} encoded images; the limit is ${MAX_ENCODED_IMAGES}. Send fewer, or send numbers`,
    );
  }
  const files = images.map((image, n) => readBase64(image, `${pointer}/${n}`));
  const batches: ImageBatch[] = [];
  await imageSlots(files.length, files.length * IMAGE_PIXELS).run(async () => {
    for (const file of files) batches.push(await decodeImage(file));
  }, signal);
  return joinBatches(batches);
}

function readBase64(image: unknown, pointer: string): Uint8Array {
  if (!isEncodedImage(image)) return rejectAt(pointer, 'is not an encoded image, but others are');
  if (typeof image.b64 !== 'string') return rejectAt(`${pointer}/b64`, 'must be a Base64 string');
  return fromBase64(image.b64, `${pointer}/b64`);
}
