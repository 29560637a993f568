/** Shapes of the images of data sets and models: which are allowed, and how they are written. */
import { z } from 'zod';
import {
  channelCount,
  DEFAULT_IMAGE_SHAPE,
  type ImageShape,
  isSameShape,
  valueCount,
} from '../numerics/network/image-shape.ts';

export const MIN_SIDE = 8;
export const MAX_SIDE = 64;

const side = z.int().min(MIN_SIDE).max(MAX_SIDE);

export const imageShapeSchema = z
  .union([z.tuple([side, side]), z.tuple([side, side, z.literal(3)])])
  .describe('Height and width in pixels; colour images have a third number, 3 channels')
  .meta({ id: 'ImageShape' });

/** A shape, or one with channels first: flat images are planes then. */
export const orderedShapeSchema = z.union([
  z.tuple([side, side]),
  z.tuple([side, side, z.literal(3)]),
  z.tuple([z.literal(3), side, side]),
]);
type OrderedShape = Readonly<z.output<typeof orderedShapeSchema>>;
/** The shape that an upload or an import asks for; auto to find it from the images or the file. */
export type RequestedShape = 'auto' | OrderedShape;

/** A requested shape as the text of a form: auto, [32, 32, 3], 32×32×3, 32x32x3 or 32,32,3. */
export const requestedShapeText = z
  .string()
  .transform((text, context): RequestedShape => {
    if (text.trim() === 'auto') return 'auto';
    const numbers = text.replace(/^\s*\[(.*)\]\s*$/, '$1').split(/[x×,]/);
    const { data } = orderedShapeSchema.safeParse(
      numbers.map((each) => (each.trim() === '' ? null : Number(each))),
    );
    if (data) return data;
    context.addIssue(
      `must be auto, [height, width], [height, width, 3] or [3, height, width], with ${MIN_SIDE} to ${MAX_SIDE} pixels a side`,
    );
    return z.NEVER;
  })
  .default('auto')
  .describe(
    'Shape of the images, such as [32, 32] or [32, 32, 3]; [3, 32, 32] if flat images consist of three planes. By default ' +
      '`auto`: that of the arrays; of images in folders their common size, else a longer side of 48, 32 or 28 pixels, the largest that half of the images have; in colour if the images are',
  );

/** Whether the first number is that of the channels. Sides are longer. */
export const isPlanar = (requested: RequestedShape): boolean => requested[0] === 3;

/** The shape of images whose numbers have this order. */
export function channelsLast(requested: OrderedShape): ImageShape {
  const [, height, width] = requested;
  return isPlanar(requested) ? [height, width!, 3] : (requested as ImageShape);
}

/** Flat images of unknown shape are grey and square. undefined if there is no such square. */
export function squareShape(values: number): ImageShape | undefined {
  const side = Math.sqrt(values);
  return Number.isInteger(side) && side >= MIN_SIDE && side <= MAX_SIDE ? [side, side] : undefined;
}

/** Whether images of an allowed shape, grey or in colour, have this number of values. */
export function isImageSize(values: number): boolean {
  const sides = Array.from({ length: MAX_SIDE - MIN_SIDE + 1 }, (_, i) => MIN_SIDE + i);
  return [1, 3].some((channels) =>
    sides.some((height) => sides.some((width) => height * width * channels === values)),
  );
}

/** 28×28, or 32×32×3 */
export const showImageShape = (shape: ImageShape): string => shape.join('×');

/** For sentences: grey images of 28×28 pixels. */
export const describeImages = ([height, width, channels]: ImageShape, noun = 'images'): string =>
  `${channels === 3 ? 'colour' : 'grey'} ${noun} of ${height}×${width} pixels`;

/** An image in the metadata of a model. The default shape is flat there, as it was before images had shapes. */
export const describedShape = (shape: ImageShape): readonly number[] =>
  isSameShape(shape, DEFAULT_IMAGE_SHAPE) ? [valueCount(shape)] : shape;

/** Rows of numbers; in a colour image, rows of pixels of three numbers. */
export const imageRowsSchema = <T extends z.ZodType>(number: T) =>
  z.union([z.array(z.array(number)), z.array(z.array(z.array(number)))]);

/** The rows of one image of `shape`, as JSON has them. */
export function toImageRows(image: ArrayLike<number>, shape: ImageShape): number[][] | number[][][] {
  const [height, width] = shape;
  const channels = channelCount(shape);
  const slice = (start: number, length: number) => Array.from({ length }, (_, i) => image[start + i]!);
  const rowOf = <T>(read: (at: number) => T) =>
    Array.from({ length: height }, (_, y) => read(y * width * channels));
  if (channels === 1) return rowOf((at) => slice(at, width));
  return rowOf((at) => Array.from({ length: width }, (_, x) => slice(at + x * channels, channels)));
}
