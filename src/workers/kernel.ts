/** The compiled kernel, one compilation a thread, and proof that it computes here what the reference does. */
import { readFileSync } from 'node:fs';
import { AtelierError } from '../errors.ts';
import { kernelDifference, selfCheckPlan } from '../numerics/kernel-check.ts';

const BYTES = readFileSync(new URL('../numerics/simd/kernel.wasm', import.meta.url));

/** Of a block's gradient, ‖g32 − g64‖ / ‖g64‖: a hundred times what rounding makes of it. */
export const KERNEL_TOLERANCE = 1e-4;

export const kernelModule = new WebAssembly.Module(BYTES);

/**
 * A kernel that was built wrongly, or that this processor runs wrongly, must never train or predict. Takes milliseconds; to be
 * called once by each thread before its work.
 * @throws AtelierError `kernel-differs`
 */
export function checkKernel(): void {
  const difference = kernelDifference(kernelModule, selfCheckPlan());
  if (difference <= KERNEL_TOLERANCE) return;
  throw new AtelierError(
    'kernel-differs',
    `The kernel's gradient differs from the reference's by ${difference}, where ${KERNEL_TOLERANCE} is allowed. ` +
      'Nothing is trained with it. Please report this processor.',
  );
}
