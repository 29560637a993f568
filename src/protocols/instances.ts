/** Images in JSON of TensorFlow Serving and MLflow: rows (`instances`), columns (`inputs`). */
import { showImageShape } from '../domain/image-shape.ts';
import { type Fit, rejectOption } from '../domain/predictions/image-query.ts';
import { rejectAt } from '../formats/json/limits.ts';
import { type NestedTensor, readNested } from '../formats/json/nested-numbers.ts';
import { fromBase64, fromDataUrl, MAX_ENCODED_IMAGES } from '../images/base64.ts';
import { FLOAT32_ROUNDING, type ImageBatch } from '../images/batch.ts';
import type { EncodedImage } from '../images/sent.ts';
import type { ImageShape } from '../numerics/network/image-shape.ts';
import { isObject, type JsonObject } from './json-object.ts';
import { fromTensor } from './tensor-images.ts';

/** Images as numbers, or encoded images that are not decoded yet. */
export type Instances = { readonly batch: ImageBatch } | { readonly encoded: readonly EncodedImage[] };

export interface InstanceOptions {
  /** Shape of the images that the model takes. */
  readonly image: ImageShape;
  /** Applies to encoded images only. */
  readonly fit?: Fit;
  /** Whether a string is an encoded image, as Base64 or as a data URL. */
  readonly readsText?: boolean;
}

/**
 * One image per element: numbers, an encoded image as `{ "b64": … }`, or an object with one field around either. Its
 * name is the input's name. Each client takes it from its own model.
 * @throws AtelierError `invalid-request`, `invalid-image-size`, `invalid-pixels`, `ambiguous-pixel-range`
 */
export function fromRows(rows: unknown, pointer: string, options: InstanceOptions): Instances {
  if (!Array.isArray(rows) || rows.length === 0) {
    return rejectAt(pointer, 'must be an array of at least one image');
  }
  const images = rows.map((row: unknown, n) => unwrap(row, `${pointer}/${n}`));
  if (images.some((image) => isEncoded(image, options))) return readEncoded(images, pointer, options);
  return readNumbers(images, pointer, false, options);
}

/**
 * All images in one value: a tensor (also of a single image), or encoded images as `{ "b64": … }`.
 * @throws AtelierError see `fromRows`
 */
export function fromColumn(column: unknown, pointer: string, options: InstanceOptions): Instances {
  const images = unwrap(column, pointer);
  if (isEncoded(images, options))
    return { encoded: [{ kind: 'encoded', bytes: readImage(images, pointer, options), pointer }] };
  if (Array.isArray(images) && images.some((image) => isEncoded(image, options))) {
    return readEncoded(images, pointer, options);
  }
  return readNumbers(images, pointer, true, options);
}

/** Numbers from JSON or CSV. The request does not state their scale. */
export function fromNumbers(
  tensor: NestedTensor,
  name: string,
  single: boolean,
  { image, fit }: InstanceOptions,
): Instances {
  if (fit !== undefined) {
    rejectOption(
      'fit',
      fit,
      `Resizes encoded images only; images as numbers must be ${showImageShape(image)}.`,
    );
  }
  return { batch: fromTensor(tensor, { image, name, rounding: FLOAT32_ROUNDING, single }) };
}

function readNumbers(images: unknown, pointer: string, single: boolean, options: InstanceOptions): Instances {
  return fromNumbers(readNested(images, pointer), pointer, single, options);
}

const isBase64Object = (value: unknown): value is JsonObject =>
  isObject(value) && Object.hasOwn(value, 'b64');

const isEncoded = (value: unknown, { readsText }: InstanceOptions): boolean =>
  isBase64Object(value) || (readsText === true && typeof value === 'string');

function unwrap(value: unknown, pointer: string): unknown {
  if (!isObject(value) || isBase64Object(value)) return value;
  const fields = Object.values(value);
  if (fields.length !== 1) rejectAt(pointer, `has ${fields.length} fields, but a model has one input`);
  return fields[0];
}

function readEncoded(images: readonly unknown[], pointer: string, options: InstanceOptions): Instances {
  if (images.length > MAX_ENCODED_IMAGES) {
    rejectAt(
      pointer,
      `holds ${images.length} encoded images; the limit is ${MAX_ENCODED_IMAGES}. Send fewer, or send numbers`,
    );
  }
  return {
    encoded: images.map((image, n) => {
      const at = `${pointer}/${n}`;
      return { kind: 'encoded', bytes: readImage(image, at, options), pointer: at };
    }),
  };
}

function readImage(image: unknown, pointer: string, options: InstanceOptions): Uint8Array {
  if (!isEncoded(image, options)) return rejectAt(pointer, 'is not an encoded image, but others are');
  if (typeof image === 'string') {
    return image.startsWith('data:') ? fromDataUrl(image, pointer) : fromBase64(image, pointer);
  }
  const { b64 } = image as JsonObject;
  if (typeof b64 !== 'string') return rejectAt(`${pointer}/b64`, 'must be a Base64 string');
  return fromBase64(b64, `${pointer}/b64`);
}
