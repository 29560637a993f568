/** Max pooling of one example: 2×2 windows, stride 2. */
import { type Volume, volumeSize } from '../../network/architecture.ts';
import { createValues, type ReferenceLayer, type Values } from './interface.ts';

/**
 * Each output is the largest of the four values of its window; an odd last row or column has no window. The first of equal
 * values in reading order wins, and NaN wins over all, as in PyTorch's max_pool2d. Only the winner receives a gradient.
 */
export function createMaxPool(below: Values, input: Volume, output: Volume): ReferenceLayer {
  const values = createValues(volumeSize(output));
  const { output: pooled, dOutput: dPooled } = values;
  const { output: a, dOutput: da } = below;
  const winners = new Int32Array(pooled.length);
  const window = [0, 1, input.width, input.width + 1];
  return {
    ...values,
    winners,
    forward() {
      for (let c = 0, p = 0; c < output.channels; c++) {
        for (let y = 0; y < output.height; y++) {
          for (let x = 0; x < output.width; x++, p++) {
            const corner = (c * input.height + 2 * y) * input.width + 2 * x;
            let winner = corner;
            for (const offset of window) {
              const value = a[corner + offset]!;
              if (value > a[winner]! || Number.isNaN(value)) winner = corner + offset;
            }
            winners[p] = winner;
            pooled[p] = a[winner]!;
          }
        }
      }
    },
    backward() {
      da.fill(0);
      for (let p = 0; p < pooled.length; p++) da[winners[p]!] = dPooled[p]!;
    },
  };
}
