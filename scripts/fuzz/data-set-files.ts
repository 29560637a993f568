/** Arrays of data sets, and their containers. */
import { zipSync } from 'fflate';
import { npyBytes } from '../../src/formats/arrays/npy.ts';
import { firstImage, images } from './files.ts';

export type Arrays = Readonly<Record<string, Uint8Array>>;

/** Two images, one of each class. */
export const pair = { pixels: images.subarray(0, 2 * firstImage.length), labels: Uint8Array.of(0, 1) };

export const whole = {
  train_images: npyBytes(pair.pixels, [2, 28, 28]),
  train_labels: npyBytes(pair.labels, [2]),
  test_images: npyBytes(images, [8, 28, 28]),
  test_labels: npyBytes(new Uint8Array(8), [8]),
} satisfies Arrays;

/** An IDX file of unsigned bytes. */
export function idx(values: Uint8Array, shape: readonly number[]): Uint8Array {
  const dimensions = shape.flatMap((size) => [0, 0, size >> 8, size & 0xff]);
  return Uint8Array.from([0, 0, 8, shape.length, ...dimensions, ...values]);
}

export function npz(arrays: Arrays, level: 0 | 6): Uint8Array {
  const entries = Object.entries(arrays).map(([name, bytes]) => [`${name}.npy`, bytes]);
  return zipSync(Object.fromEntries(entries), { level });
}
