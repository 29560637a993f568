/** Reads the images of an uploaded array into one byte per value. */
import { FLOAT16_ROUNDING, FLOAT32_ROUNDING, unitToByteScale, unravelIndex } from '../../../images/batch.ts';
import { valueCount } from '../../../numerics/network/image-shape.ts';
import { rejectPart } from '../reject-part.ts';
import type { ArrayImages } from './read-shape.ts';
import type { ArrayReader } from './reader.ts';

export const isFloat = ({ dtype }: ArrayReader) => dtype.startsWith('f');

/** Returns the largest number, or the largest so far after the first chunk with a number above `enough`. */
export async function findMaximum(array: ArrayReader, enough: number): Promise<number> {
  let greatest = Number.NEGATIVE_INFINITY;
  for await (const chunk of array.chunks()) {
    for (let i = 0; i < chunk.length; i++) if (chunk[i]! > greatest) greatest = Number(chunk[i]);
    if (greatest > enough) return greatest;
  }
  return greatest;
}

/**
 * Reads the values, the number of them that were not whole numbers, and the smallest and largest number in the file.
 * @param unit whether the numbers are 0–1 and must be multiplied by 255
 * @throws AtelierError `invalid-dataset-file` naming the first number that is out of range
 */
export async function readImages(array: ArrayReader, images: ArrayImages, unit: boolean) {
  const position = findPosition(array, images);
  const limit = unit ? 1 : 255;
  const rounding = array.dtype === 'f2' ? FLOAT16_ROUNDING : FLOAT32_ROUNDING;
  const pixels = new Uint8Array(images.count * valueCount(images.image));
  let [index, rounded, minimum, maximum] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for await (const chunk of array.chunks()) {
    for (let i = 0; i < chunk.length; i++, index++) {
      const value = Number(chunk[i]!);
      if (!(value >= 0 && value <= limit)) rejectValue(array, images, position(index), value, unit);
      if (value < minimum) minimum = value;
      if (value > maximum) maximum = value;
      const scaled = unit ? unitToByteScale(value, rounding) : value;
      const whole = Math.round(scaled);
      if (whole !== scaled) rounded++;
      pixels[position(index)] = whole;
    }
  }
  return { pixels, rounded, minimum, maximum };
}

/** Where the element at an index of the file belongs: row by row, channels last. */
function findPosition({ shape, fortranOrder }: ArrayReader, { image, isPlanar }: ArrayImages) {
  const plane = image[0] * image[1];
  const toRows = fortranOrder ? fromFortranOrder(shape) : (index: number) => index;
  if (!isPlanar) return toRows;
  return (index: number) => {
    const position = toRows(index);
    const within = position % (3 * plane);
    return position - within + 3 * (within % plane) + Math.floor(within / plane);
  };
}

/** Maps a Fortran-order index to C order. In Fortran order the first index runs fastest, in C order the last. */
export function fromFortranOrder(shape: readonly number[]): (index: number) => number {
  const strides = shape.map((_, d) => shape.slice(d + 1).reduce((product, size) => product * size, 1));
  return (index) => {
    let rest = index;
    let position = 0;
    for (let d = 0; d < shape.length; d++) {
      const place = rest % shape[d]!;
      position += place * strides[d]!;
      rest = (rest - place) / shape[d]!;
    }
    return position;
  };
}

function rejectValue(
  array: ArrayReader,
  { count, image }: ArrayImages,
  position: number,
  value: number,
  unit: boolean,
): never {
  const at = unravelIndex(position, [count, ...image]);
  const range = unit ? 'from 0 to 1, because no float exceeds 1' : 'from 0 to 255';
  const also = isFloat(array) && !unit ? ', or from 0 to 1 if no float exceeds 1' : '';
  rejectPart(array.part, `pixel [${at.join(', ')}] is ${value}; pixels must be ${range}${also}`);
}
