/** Images of things that no network of the benchmarks was trained on. */
import { type ImageShape, valueCount } from '../../src/numerics/network/image-shape.ts';
import { PURPOSE, randomBits } from '../../src/numerics/random.ts';

const COUNT = 1000;

/** Every value is uniform on 0–255. */
export const noise = (shape: ImageShape, seed: number) =>
  Uint8Array.from(
    { length: COUNT * valueCount(shape) },
    (_, i) => randomBits(seed, PURPOSE.shuffle, 0, i) % 256,
  );

/** Images of 8×8 in another shape, by linear interpolation; the edge is repeated. */
export function enlarge(images: Uint8Array, shape: ImageShape): Uint8Array {
  const [height, width] = shape;
  const values = valueCount(shape);
  const at = (position: number, size: number) =>
    Math.max(0, Math.min(7, ((position + 0.5) * 8) / size - 0.5));
  return Uint8Array.from({ length: (images.length / 64) * values }, (_, i) => {
    const pixel = Math.floor(((i % values) * height * width) / values);
    const [y, x] = [at(Math.floor(pixel / width), height), at(pixel % width, width)];
    const [top, left] = [Math.min(6, Math.floor(y)), Math.min(6, Math.floor(x))];
    const corner = Math.floor(i / values) * 64 + top * 8 + left;
    const row = (start: number) => images[start]! + (x - left) * (images[start + 1]! - images[start]!);
    return Math.round(row(corner) + (y - top) * (row(corner + 8) - row(corner)));
  });
}
