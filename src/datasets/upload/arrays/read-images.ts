/** Reads the images of an uploaded array into one byte per pixel. */
import { IMAGE_PIXELS, IMAGE_SIDE } from '../../../domain/datasets/representation.ts';
import { FLOAT16_ROUNDING, FLOAT32_ROUNDING, unitToByteScale } from '../../../images/batch.ts';
import { rejectPart } from '../reject-part.ts';
import type { ArrayReader } from './reader.ts';

const SHAPES = [`${IMAGE_PIXELS}`, `${IMAGE_SIDE},${IMAGE_SIDE}`, `${IMAGE_SIDE},${IMAGE_SIDE},1`];

/**
 * Number of images in the array.
 * @throws AtelierError `invalid-dataset-file` unless the shape is (n, 784), (n, 28, 28) or (n, 28, 28, 1), n at least 1
 */
export function countImages({ part, shape }: ArrayReader): number {
  const [count, ...image] = shape;
  if (SHAPES.includes(image.join())) {
    if (count! >= 1) return count!;
    rejectPart(part, 'it has no images');
  }
  const advice =
    image.length >= 2
      ? `images must be ${IMAGE_SIDE}×${IMAGE_SIDE} and grey; resize and convert them before sending them`
      : `images must have shape (n, ${IMAGE_SIDE}, ${IMAGE_SIDE}) or (n, ${IMAGE_PIXELS})`;
  return rejectPart(part, `its shape is (${shape.slice(0, 8).join(', ')}); ${advice}`);
}

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
 * Reads n × 784 pixels, the number of pixels that were not whole numbers, and the smallest and largest number in the file.
 * @param unit whether the numbers are 0–1 and must be multiplied by 255
 * @throws AtelierError `invalid-dataset-file` naming the first number that is out of range
 */
export async function readImages(array: ArrayReader, unit: boolean) {
  const count = countImages(array);
  const position = array.fortranOrder ? fromFortranOrder(array.shape) : (index: number) => index;
  const limit = unit ? 1 : 255;
  const rounding = array.dtype === 'f2' ? FLOAT16_ROUNDING : FLOAT32_ROUNDING;
  const pixels = new Uint8Array(count * IMAGE_PIXELS);
  let [index, rounded, minimum, maximum] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for await (const chunk of array.chunks()) {
    for (let i = 0; i < chunk.length; i++, index++) {
      const value = Number(chunk[i]!);
      if (!(value >= 0 && value <= limit)) rejectValue(array, position(index), value, unit);
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

/** Maps a Fortran-order index to C order. In Fortran order the first index runs fastest: image, then row, then column. */
function fromFortranOrder([count, height, width]: readonly number[]): (index: number) => number {
  const rows = width === undefined ? 1 : height!;
  const columns = IMAGE_PIXELS / rows;
  return (index) => {
    const image = index % count!;
    const rest = (index - image) / count!;
    const row = rest % rows;
    return image * IMAGE_PIXELS + row * columns + (rest - row) / rows;
  };
}

function rejectValue(array: ArrayReader, position: number, value: number, unit: boolean): never {
  const pixel = position % IMAGE_PIXELS;
  const at = [Math.floor(position / IMAGE_PIXELS), Math.floor(pixel / IMAGE_SIDE), pixel % IMAGE_SIDE];
  const range = unit ? 'from 0 to 1, because no float exceeds 1' : 'from 0 to 255';
  const also = isFloat(array) && !unit ? ', or from 0 to 1 if no float exceeds 1' : '';
  rejectPart(array.part, `pixel [${at.join(', ')}] is ${value}; pixels must be ${range}${also}`);
}
