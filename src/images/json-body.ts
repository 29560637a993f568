/** JSON bodies of images, `{ "image": … }` or `{ "images": […] }`: everything around the images. */
import { AtelierError } from '../errors.ts';
import { rejectAt } from '../formats/json/limits.ts';
import type { JsonScanner } from './json-scanner.ts';

const BODY_SHAPE = 'the body must be { "image": … } or { "images": […] }';

/**
 * @param readImage consumes the image at this JSON pointer
 * @throws AtelierError at the first defect: `malformed-body`, `invalid-request`, and the errors of `readImage`
 */
export function readImages(scanner: JsonScanner, readImage: (pointer: string) => void): void {
  if (!scanner.take('{')) rejectType(scanner, '#', BODY_SHAPE);
  if (scanner.take('}')) rejectAt('#', `is empty; ${BODY_SHAPE}`);
  if (readField(scanner) === 'image') readImage('#/image');
  else readList(scanner, readImage);
  rejectSecondField(scanner);
  if (!scanner.take('}')) scanner.malformed('"}"');
  if (scanner.peek() !== '') scanner.malformed('the end');
}

/** @throws AtelierError `invalid-request` if another field follows */
export function rejectSecondField(scanner: JsonScanner): void {
  if (!scanner.take(',')) return;
  rejectAt(`#/${readField(scanner)}`, 'is an unexpected second field; send either image or images');
}

function readList(scanner: JsonScanner, readImage: (pointer: string) => void): void {
  if (!scanner.take('[')) rejectType(scanner, '#/images', 'images must be an array of images');
  const count = readElements(scanner, '#/images', readImage);
  if (count === 0) rejectAt('#/images', 'is empty; send at least one image');
}

function readField(scanner: JsonScanner): string {
  const key = scanner.string('a field name');
  if (key === '__proto__')
    throw new AtelierError('malformed-body', 'The body has a field named __proto__; it is not allowed.');
  if (key !== 'image' && key !== 'images') {
    const name = key.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1');
    rejectAt(`#/${name}`, 'is an unknown field; the fields are image and images');
  }
  if (!scanner.take(':')) scanner.malformed('":"');
  return key;
}

/** Reads elements up to the closing bracket; the opening one has been read. */
export function readElements(
  scanner: JsonScanner,
  pointer: string,
  readElement: (pointer: string) => void,
): number {
  let count = 0;
  if (scanner.take(']')) return count;
  do readElement(`${pointer}/${count++}`);
  while (scanner.take(','));
  if (!scanner.take(']')) scanner.malformed('"," or "]"');
  return count;
}

/** @param needed what the value must be instead */
export function rejectType(scanner: JsonScanner, pointer: string, needed: string): never {
  return rejectAt(pointer, `is ${scanner.typeOfNext(`a value for ${pointer}`)}; ${needed}`);
}
