/** The result of a gradient check as it crosses to the main thread: either report or vector, nothing that nobody reads. */
import { npyBytes } from '../../formats/npy.ts';
import type { GradientCheckReport } from '../../numerics/gradient-check.ts';
import { parameterCount } from '../../numerics/network.ts';
import type { GradientCheckTask } from '../messages.ts';

/** The packed vector as npy: W1, b1, W2, …; NaN where a sample left a coordinate out. null where it is not asked for. */
export function vectorAsNpy(
  { answer, layerSizes }: GradientCheckTask,
  { analytic, numeric, positions }: Pick<GradientCheckReport, 'analytic' | 'numeric' | 'positions'>,
): Uint8Array | null {
  if (answer === 'report') return null;
  const values = answer === 'analytic' ? analytic : numeric;
  const length = parameterCount(layerSizes);
  if (values.length === length) return npyBytes(values, [length]);
  const packed = new Float64Array(length).fill(Number.NaN);
  for (const [i, position] of positions.entries()) packed[position] = values[i]!;
  return npyBytes(packed, [length]);
}
