/** The compiled kernel, one compilation a thread, and proof that it computes here what the reference does. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ExecutionEnvironment } from '../domain/reproducibility.ts';
import { AtelierError } from '../errors.ts';
import type { CreateEngine } from '../numerics/engine.ts';
import { selfCheck } from '../numerics/kernel-check.ts';
import { instantiate, isFused } from '../numerics/simd/kernel.ts';
import { createKernelEngine as createEngine } from '../numerics/simd/kernel-engine.ts';
import { createKernelForward, type KernelForward } from '../numerics/simd/kernel-forward.ts';
import type { ServedNetwork } from './messages.ts';

/** Of a block's gradient, ‖g32 − g64‖ / ‖g64‖: many times what rounding makes of it. */
export const KERNEL_TOLERANCE = 1e-4;
export const KERNEL_NAME = 'simd-float32';

const bytes = readFileSync(new URL('../numerics/simd/kernel.wasm', import.meta.url));

export const kernelModule = new WebAssembly.Module(bytes);

export const kernelDigest = () => `sha256:${hash('sha256', bytes)}`;

/** What decides, besides a training's request and data set, about the last bits of its parameters. */
export function detectEnvironment(): Pick<ExecutionEnvironment, 'kernel' | 'fused'> {
  const memory = new WebAssembly.Memory({ shared: true, initial: 1, maximum: 1 });
  return {
    kernel: { name: KERNEL_NAME, digest: kernelDigest() },
    fused: isFused(instantiate(kernelModule, memory, () => {})),
  };
}

/** On one thread. */
export const createKernelEngine: CreateEngine = (settings, initial) =>
  createEngine(kernelModule, settings, initial);

/** Lays a network out for the kernel. */
export function createForward({
  layerSizes,
  activation,
  parameters,
  standardization,
}: Pick<
  ServedNetwork,
  'layerSizes' | 'activation' | 'parameters' | 'standardization'
>): KernelForward['forward'] {
  return createKernelForward(kernelModule, layerSizes, activation, parameters, standardization).forward;
}

/**
 * A kernel that was built wrongly, or that this processor runs wrongly, must never train or predict. Takes milliseconds;
 * to be called once by each thread before its work.
 * @throws AtelierError `kernel-differs`
 */
export function checkKernel(): void {
  const difference = selfCheck(createKernelEngine);
  if (difference <= KERNEL_TOLERANCE) return;
  throw new AtelierError(
    'kernel-differs',
    `The kernel's gradient differs from the reference's by ${difference}, where ${KERNEL_TOLERANCE} is allowed. ` +
      'Nothing is computed with it. Please report the processor.',
  );
}
