/** Finds the images that an array of numbers holds, by its shape. */
import { channelCount, type ImageShape, valueCount } from '../numerics/network/image-shape.ts';
import type { Pixels } from '../numerics/training/engine.ts';

export interface ArrayLayout {
  /** Number of images. */
  readonly count: number;
  /** Whether each image is three planes, one after another, instead of pixels of three numbers. */
  readonly isPlanar: boolean;
}

/** The shapes of an array with one image: flat, channels last, channels first. */
function formsOf(image: ImageShape): (readonly number[])[] {
  const [height, width] = image;
  const forms = [
    [valueCount(image)],
    [height, width, channelCount(image)],
    [channelCount(image), height, width],
  ];
  return image.length === 2 ? [[height, width], ...forms] : forms;
}

const isPlanarForm = (form: readonly number[], image: ImageShape) =>
  form.length === 3 && form[0] === 3 && image.length === 3;

/**
 * @param single whether one image without a number of images is allowed
 * @returns undefined if the array does not hold images of this shape
 */
export function findLayout(
  shape: readonly number[],
  image: ImageShape,
  single: boolean,
): ArrayLayout | undefined {
  const [count, ...rest] = shape;
  for (const form of formsOf(image)) {
    const isPlanar = isPlanarForm(form, image);
    if (single && form.join() === shape.join()) return { count: 1, isPlanar };
    if (count! >= 1 && form.join() === rest.join()) return { count: count!, isPlanar };
  }
  return undefined;
}

/** The allowed shapes, for error messages: `(n, 28, 28), (n, 784), …`. */
export function listForms(image: ImageShape, single: boolean): string {
  const forms = formsOf(image).map((form) => form.join(', '));
  return [...(single ? forms.map((form) => `(${form})`) : []), ...forms.map((form) => `(n, ${form})`)].join(
    ', ',
  );
}

/** Pixels with the channels of each image last: three planes → three numbers of each pixel. Others are not copied. */
export function toChannelsLast(
  planes: Pixels,
  { isPlanar }: Pick<ArrayLayout, 'isPlanar'>,
  image: ImageShape,
): Pixels {
  if (!isPlanar) return planes;
  const plane = image[0] * image[1];
  const pixels = new (planes instanceof Uint8Array ? Uint8Array : Float32Array)(planes.length);
  for (let start = 0; start < planes.length; start += 3 * plane) {
    for (let i = 0; i < plane; i++) {
      for (let channel = 0; channel < 3; channel++) {
        pixels[start + 3 * i + channel] = planes[start + channel * plane + i]!;
      }
    }
  }
  return pixels;
}
