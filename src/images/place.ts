/** The last steps of preprocessing: the border of a resized image, its position within 28×28, inversion. */
import { IMAGE_PIXELS, IMAGE_SIDE } from '../domain/datasets/representation.ts';
import type { FitMode } from '../domain/predictions/preprocessing.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

export function describeResize(fit: FitMode, from: Size, to: Size): string {
  const inPixels = ({ width, height }: Size) => `${width}×${height}`;
  switch (fit) {
    case 'contain':
      return `resized from ${inPixels(from)} to ${inPixels(to)}, centred in 28×28`;
    case 'cover':
      return `cropped from ${inPixels(from)} to its centre, resized to 28×28`;
    case 'stretch':
      return `stretched from ${inPixels(from)} to 28×28`;
  }
}

/** Median of the outermost pixels; of two middle ones the lower. */
export function borderMedian(pixels: Uint8Array, { width, height }: Size): number {
  const border: number[] = [];
  for (let y = 0; y < height; y++) {
    const inside = y > 0 && y < height - 1;
    const step = inside ? Math.max(1, width - 1) : 1;
    for (let x = 0; x < width; x += step) border.push(pixels[y * width + x]!);
  }
  border.sort((a, b) => a - b);
  return border[(border.length - 1) >> 1]!;
}

/** Puts an image of at most 28×28 into the centre of 28×28. @param around grey of the rest */
export function centre(pixels: Uint8Array, { width, height }: Size, around: number): Uint8Array {
  const placed = new Uint8Array(IMAGE_PIXELS).fill(around);
  const [left, top] = [width, height].map((side) => Math.floor((IMAGE_SIDE - side) / 2)) as [number, number];
  for (let y = 0; y < height; y++) {
    placed.set(pixels.subarray(y * width, (y + 1) * width), (top + y) * IMAGE_SIDE + left);
  }
  return placed;
}

export function invertPixels(pixels: Uint8Array): void {
  for (let i = 0; i < pixels.length; i++) pixels[i] = 255 - pixels[i]!;
}
