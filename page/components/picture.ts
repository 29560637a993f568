/** Pictures: images as numbers. */
import type { ImageShape } from '../../src/numerics/network/image-shape.ts';

export interface Picture {
  readonly shape: ImageShape;
  /** From 0 (black) to 255, row by row; in colour three for each pixel. */
  readonly values: readonly number[];
}
