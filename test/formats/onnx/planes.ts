/** Images as ONNX graphs and PyTorch take them. */
import { channelCount, type ImageShape, valueCount } from '../../../src/numerics/network/image-shape.ts';

/** Pixels of three numbers → three planes. */
export function toPlanes(pixels: Uint8Array, shape: ImageShape): Uint8Array {
  const channels = channelCount(shape);
  const [values, area] = [valueCount(shape), shape[0] * shape[1]];
  return pixels.map((_, i) => {
    const [image, plane, pixel] = [Math.floor(i / values), Math.floor((i % values) / area), i % area];
    return pixels[image * values + pixel * channels + plane]!;
  });
}
