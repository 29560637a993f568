/** The last steps of preprocessing: the border of a resized image, its position in the input, inversion. */
import type { FitMode } from '../domain/predictions/preprocessing.ts';
import { channelCount, type ImageShape, valueCount } from '../numerics/network/image-shape.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

export function describeResize(fit: FitMode, from: Size, to: Size, [height, width]: ImageShape): string {
  const inPixels = (size: Size) => `${size.width}×${size.height}`;
  const whole = inPixels({ width, height });
  switch (fit) {
    case 'contain':
      return `resized from ${inPixels(from)} to ${inPixels(to)}, centred in ${whole}`;
    case 'cover':
      return `cropped from ${inPixels(from)} to its centre, resized to ${whole}`;
    case 'stretch':
      return `stretched from ${inPixels(from)} to ${whole}`;
  }
}

/** Median of the outermost pixels for each channel; of two middle ones the lower. */
export function borderMedians(pixels: Uint8Array, { width, height }: Size, channels: number): number[] {
  const border: number[] = [];
  for (let y = 0; y < height; y++) {
    const inside = y > 0 && y < height - 1;
    const step = inside ? Math.max(1, width - 1) : 1;
    for (let x = 0; x < width; x += step) border.push((y * width + x) * channels);
  }
  return Array.from({ length: channels }, (_, channel) => {
    const values = border.map((at) => pixels[at + channel]!).sort((a, b) => a - b);
    return values[(values.length - 1) >> 1]!;
  });
}

/**
 * Puts an image that is not larger than `shape` into its centre.
 * @param around the colour of the rest, one number per channel
 */
export function centre(
  pixels: Uint8Array,
  { width, height }: Size,
  around: readonly number[],
  shape: ImageShape,
): Uint8Array {
  const channels = channelCount(shape);
  const placed = Uint8Array.from({ length: valueCount(shape) }, (_, i) => around[i % channels]!);
  const [top, left] = [Math.floor((shape[0] - height) / 2), Math.floor((shape[1] - width) / 2)];
  const row = width * channels;
  for (let y = 0; y < height; y++) {
    placed.set(pixels.subarray(y * row, (y + 1) * row), ((top + y) * shape[1] + left) * channels);
  }
  return placed;
}

export function invertPixels(pixels: Uint8Array): void {
  for (let i = 0; i < pixels.length; i++) pixels[i] = 255 - pixels[i]!;
}
