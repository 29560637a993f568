/** The pixels of one image, standardized, as the input of a convolution. */
import { channelCount, type ImageShape } from '../../network/image-shape.ts';
import { channelStandardizations, type Standardization } from '../../network/layers.ts';
import type { Pixels } from '../../training/engine.ts';
import { createValues, type Values } from './interface.ts';

export interface PixelPlanes extends Values {
  /** output ← (x / 255 − mean) / std of the image from `offset` on, whose channels are last in `pixels`. */
  read(pixels: Pixels, offset: number): void;
  /** The derivative with respect to x / 255, in the order of the pixels: dOutput / std. */
  toPixels(): Float64Array;
}

export function createPixelPlanes(shape: ImageShape, standardization: Standardization | null): PixelPlanes {
  const channels = channelCount(shape);
  const plane = shape[0] * shape[1];
  const scales = channelStandardizations(standardization);
  const values = createValues(channels * plane);
  const { output, dOutput } = values;
  return {
    ...values,
    read(pixels, offset) {
      for (let c = 0; c < channels; c++) {
        const { mean, std } = scales[c % scales.length]!;
        for (let p = 0; p < plane; p++) {
          output[c * plane + p] = (pixels[offset + p * channels + c]! / 255 - mean) / std;
        }
      }
    },
    toPixels() {
      const dx = new Float64Array(dOutput.length);
      for (let c = 0; c < channels; c++) {
        const { std } = scales[c % scales.length]!;
        for (let p = 0; p < plane; p++) dx[p * channels + c] = dOutput[c * plane + p]! / std;
      }
      return dx;
    },
  };
}
