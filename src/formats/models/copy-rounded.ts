/** Copies tensors of a file into float32. */
import type { Tensor } from '../arrays/tensor.ts';
import { quote, rejectModelFile } from './file-error.ts';

/**
 * Copies a tensor into float32, multiplied by a factor.
 * @param columns if given, the source is rows × columns and is transposed
 * @returns the number of values that were rounded
 * @throws AtelierError `invalid-model-file` for a value that is not finite in float32
 */
export function copyRounded(
  out: Float32Array,
  { name, data }: Tensor,
  columns: number | null = null,
  factor = 1,
): number {
  const rows = columns === null ? 1 : data.length / columns;
  let rounded = 0;
  for (let i = 0; i < out.length; i++) {
    const from = columns === null ? i : (i % rows) * columns + Math.floor(i / rows);
    const value = data[from]! * factor;
    out[i] = value;
    if (!Number.isFinite(out[i]))
      rejectModelFile(`${quote(name)} has ${value} at position ${from}, not finite in float32`);
    if (out[i] !== value) rounded++;
  }
  return rounded;
}
