/** Images of several shapes, and the layouts in which clients send them. */
import { type ImageShape, valueCount } from '../../src/numerics/network/image-shape.ts';

/** Square and not, the default, and in colour. */
export const IMAGE_SHAPES: readonly ImageShape[] = [
  [8, 8],
  [20, 44],
  [28, 28],
  [32, 32, 3],
];

/** Dim noise. The upper half of images of even classes is bright, and the lower half of the others. */
export function shapedImages(shape: ImageShape, count: number, classes = 2): Uint8Array {
  const values = valueCount(shape);
  return Uint8Array.from({ length: count * values }, (_, i) => {
    const [n, at] = [Math.floor(i / values), i % values];
    const isBright = 2 * at < values === ((n % classes) % 2 === 0);
    return ((Math.imul(i + 1, 2_654_435_761) >>> 16) % 97) + (isBright ? 150 : 0);
  });
}

/** Rows of numbers, in colour rows of pixels, as JSON has an image. */
export function toRows(image: ArrayLike<number>, [height, width, channels]: ImageShape): unknown[][] {
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => {
      const at = (y * width + x) * (channels ?? 1);
      return channels === undefined ? image[at]! : [image[at]!, image[at + 1]!, image[at + 2]!];
    }),
  );
}

/** Channels last → channels first; a grey image stays as it is. */
export function toPlanes<T extends Uint8Array | Float32Array>(images: T, shape: ImageShape): T {
  const [height, width, channels = 1] = shape;
  const plane = height * width;
  return images.map((_, i) => {
    const image = Math.floor(i / (plane * channels)) * plane * channels;
    const [channel, pixel] = [Math.floor((i - image) / plane), (i - image) % plane];
    return images[image + pixel * channels + channel]!;
  }) as T;
}

/** C order → Fortran order, in which the first index runs fastest. */
export function toFortranOrder<T extends Uint8Array | Float32Array>(values: T, shape: readonly number[]): T {
  return values.map((_, i) => {
    let [rest, position] = [i, 0];
    for (const [d, size] of shape.entries()) {
      const stride = shape.slice(d + 1).reduce((product, other) => product * other, 1);
      position += (rest % size) * stride;
      rest = Math.floor(rest / size);
    }
    return values[position]!;
  }) as T;
}

/** The shapes of an array of `count` images: height and width, then with the channels last and first. */
export function arrayShapes([height, width, channels]: ImageShape, count: number) {
  const isGrey = channels === undefined;
  return {
    last: isGrey
      ? [
          [count, height, width],
          [count, height, width, 1],
        ]
      : [[count, height, width, channels]],
    first: [[count, channels ?? 1, height, width]],
  };
}
