/** Architectures of fully connected layers, by their sizes. */
import { type Architecture, fullyConnected } from '../../src/numerics/network/architecture.ts';
import type { ImageShape } from '../../src/numerics/network/image-shape.ts';

/** @param shape of the images; a square if the number of inputs is one, else a single row of pixels */
export function dense(
  [inputs, ...units]: readonly number[],
  shape: ImageShape = Number.isInteger(Math.sqrt(inputs!))
    ? [Math.sqrt(inputs!), Math.sqrt(inputs!)]
    : [1, inputs!],
): Architecture {
  return fullyConnected(shape, units);
}
