/** Shapes of images, as NumPy shows them: row by row, channels last. */

/** Height and width in pixels and, for colour, three channels. */
export type ImageShape =
  | readonly [height: number, width: number]
  | readonly [height: number, width: number, channels: 3];

/** The shape of Fashion-MNIST, and of everything that was stored before images had shapes. */
export const DEFAULT_IMAGE_SHAPE = [28, 28] as const satisfies ImageShape;

/** 1 for grey, 3 for colour. */
export const channelCount = (shape: ImageShape): 1 | 3 => (shape.length === 3 ? 3 : 1);

/** Numbers of an image: height × width × channels. */
export const valueCount = (shape: ImageShape): number => shape[0] * shape[1] * channelCount(shape);

/** Bytes of an image and its label in a data set. */
export const exampleBytes = (shape: ImageShape): number => valueCount(shape) + 1;

export const isSameShape = (a: ImageShape, b: ImageShape): boolean => a.join() === b.join();
