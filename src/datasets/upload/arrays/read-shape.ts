/** Finds the shape of the images of an uploaded array. */
import {
  channelsLast,
  isPlanar,
  MAX_SIDE,
  MIN_SIDE,
  type RequestedShape,
  showImageShape,
  squareShape,
} from '../../../domain/image-shape.ts';
import { type ArrayLayout, findLayout, listForms } from '../../../images/array-shape.ts';
import type { ImageShape } from '../../../numerics/network/image-shape.ts';
import { rejectPart } from '../reject-part.ts';
import type { ArrayReader } from './reader.ts';

export interface ArrayImages extends ArrayLayout {
  readonly image: ImageShape;
}

/**
 * @param requested the shape of the form, or auto: from the shape of the array
 * @throws AtelierError `invalid-dataset-file` if the array holds no images, or images of another shape
 */
export function readShape(
  { part, shape }: Pick<ArrayReader, 'part' | 'shape'>,
  requested: RequestedShape,
): ArrayImages {
  if (shape[0] === 0) rejectPart(part, 'it has no images');
  const image = requested === 'auto' ? findShape(part, shape) : channelsLast(requested);
  const layout = findLayout(shape, image, false);
  if (!layout) {
    return rejectPart(
      part,
      `its shape is ${show(shape)}, but imageShape is ${showImageShape(image)}; allowed: ${listForms(image, false)}`,
    );
  }
  const isFlat = shape.length === 2;
  return { image, count: layout.count, isPlanar: layout.isPlanar || (isFlat && isPlanar(requested)) };
}

/** Flat images are grey and square. One or three channels come first or last, and no side is that short. */
function findShape(part: string, shape: readonly number[]): ImageShape {
  const [, ...image] = shape;
  const [first, second, third] = image as [number, number, number];
  switch (image.length) {
    case 1:
      return checkSquare(part, first);
    case 2:
      return checkSides(part, shape, first, second);
    case 3:
      if (first === 1 || first === 3) return withChannels(checkSides(part, shape, second, third), first);
      if (third === 1 || third === 3) return withChannels(checkSides(part, shape, first, second), third);
      return rejectPart(part, `its shape is ${show(shape)}; images must have 1 or 3 channels, first or last`);
    default:
      return rejectPart(
        part,
        `its shape is ${show(shape)}; images must have shape (n, height, width), (n, height, width, 3) or (n, values)`,
      );
  }
}

const withChannels = ([height, width]: ImageShape, channels: 1 | 3): ImageShape =>
  channels === 3 ? [height, width, 3] : [height, width];

const isSide = (side: number) => side >= MIN_SIDE && side <= MAX_SIDE;

function checkSides(part: string, shape: readonly number[], height: number, width: number): ImageShape {
  if (isSide(height) && isSide(width)) return [height, width];
  return rejectPart(
    part,
    `its shape is ${show(shape)}; images must have ${MIN_SIDE} to ${MAX_SIDE} pixels a side. Resize them, or send ` +
      'image files in class folders, which are resized',
  );
}

function checkSquare(part: string, values: number): ImageShape {
  const square = squareShape(values);
  return (
    square ??
    rejectPart(
      part,
      `each image has ${values} values, which is no square of ${MIN_SIDE} to ${MAX_SIDE} pixels a side; ` +
        'send the field imageShape, such as [32, 32, 3], or [3, 32, 32] if each colour is a plane',
    )
  );
}

const show = (shape: readonly number[]) => `(${shape.slice(0, 8).join(', ')})`;
