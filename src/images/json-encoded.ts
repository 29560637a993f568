/** Reads encoded images from JSON: data URLs, or Base64 as `{ "b64": … }`. */
import { rejectAt } from '../formats/json/limits.ts';
import { fromBase64, fromDataUrl, MAX_ENCODED_IMAGES } from './base64.ts';
import { readImages, rejectSecondField, rejectType } from './json-body.ts';
import { JsonScanner } from './json-scanner.ts';
import type { EncodedImage } from './sent.ts';

const IMAGE_SHAPE = 'an encoded image must be a data URL, or { "b64": "…" }';
const START = /^(?:\xef\xbb\xbf)?\s*\{\s*"image(?:s"\s*:\s*(?:\[\s*)?|"\s*:\s*)["{]/;
/** Bounds the work of the main thread; far more than any client writes before the first image. */
const START_BYTES = 1024;

/** Whether the first image of a JSON body is encoded. All others then have to be encoded as well. */
export function holdsEncodedImages(bytes: Buffer): boolean {
  return START.test(bytes.toString('latin1', 0, START_BYTES));
}

/**
 * The images are not decoded yet.
 * @throws AtelierError at the first defect: `malformed-body`, `invalid-request`, `unsupported-media-type`
 */
export function readEncodedJson(bytes: Uint8Array): EncodedImage[] {
  const scanner = new JsonScanner(bytes);
  const images: EncodedImage[] = [];
  readImages(scanner, (pointer) => {
    if (images.length === MAX_ENCODED_IMAGES) {
      rejectAt(
        '#/images',
        `holds more than ${MAX_ENCODED_IMAGES} encoded images, the limit. Send fewer, or send numbers`,
      );
    }
    images.push({ kind: 'encoded', bytes: readImage(scanner, pointer), pointer });
  });
  return images;
}

function readImage(scanner: JsonScanner, pointer: string): Uint8Array {
  if (scanner.peek() === '"') {
    const text = scanner.string('a data URL');
    // Two fields are more likely the mistake than a damaged image in one of them.
    if (pointer === '#/image') rejectSecondField(scanner);
    return fromDataUrl(text, pointer);
  }
  if (scanner.peek() === '[') {
    rejectAt(pointer, 'is an array, but other images are encoded; send all in one way');
  }
  if (!scanner.take('{')) rejectType(scanner, pointer, IMAGE_SHAPE);
  const field = scanner.peek() === '}' ? undefined : scanner.string('a field name');
  if (field !== 'b64') rejectAt(pointer, `must have the field b64; ${IMAGE_SHAPE}`);
  if (!scanner.take(':')) scanner.malformed('":"');
  if (scanner.peek() !== '"') rejectType(scanner, `${pointer}/b64`, 'it must be a Base64 string');
  const bytes = fromBase64(scanner.string('Base64'), `${pointer}/b64`);
  if (scanner.take(',')) rejectAt(pointer, 'must have no field besides b64');
  if (!scanner.take('}')) scanner.malformed('"}"');
  return bytes;
}
