/** The kernel, compiled once per thread, and the check that it agrees with the reference. */

import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import type { ExecutionEnvironment } from '../../domain/training/reproducibility.ts';
import { AtelierError } from '../../errors.ts';
import { selfCheck } from '../../numerics/checks/kernel.ts';
import type { Activation } from '../../numerics/network/activations.ts';
import type { Architecture } from '../../numerics/network/architecture.ts';
import type { Standardization } from '../../numerics/network/layers.ts';
import { instantiate, isFused } from '../../numerics/simd/kernel.ts';
import { createKernelEngine as createEngine } from '../../numerics/simd/kernel-engine.ts';
import { createKernelForward, type KernelForward } from '../../numerics/simd/kernel-forward.ts';
import type { CreateEngine } from '../../numerics/training/engine.ts';
import type { ServedModel } from '../../protocols/codec.ts';
import { vectorOptions } from '../../tuning/wide-vectors.ts';
import { kernelBytes, kernelDigest } from './bytes.ts';

/** A version as threads need it; the parameters are in shared memory. */
export interface ServedNetwork extends ServedModel {
  readonly architecture: Architecture;
  readonly activation: Activation;
  readonly standardization: Standardization | null;
  readonly parameters: Float32Array;
}

/** Bound of ‖g32 − g64‖ / ‖g64‖ for each of W1, b1, W2, …; many times the rounding error. */
export const KERNEL_TOLERANCE = 1e-4;
export const KERNEL_NAME = 'simd-float32';

export const kernelModule = new WebAssembly.Module(kernelBytes);

/** How the kernel computes in this process: the results are the same. */
export const kernelOptions = vectorOptions();

/** The parts of the execution environment that determine the bits of trained parameters on this machine. */
export function detectEnvironment(): Pick<ExecutionEnvironment, 'kernel' | 'fused'> {
  const memory = new WebAssembly.Memory({ shared: true, initial: 1, maximum: 1 });
  return {
    kernel: { name: KERNEL_NAME, digest: kernelDigest() },
    fused: isFused(instantiate(kernelModule, memory, () => {})),
  };
}

/** Creates an engine that runs on the calling thread alone. */
export const createKernelEngine: CreateEngine = (settings, initial) =>
  createEngine(kernelModule, settings, initial, kernelOptions);

/** Lays out a network for the kernel and returns its forward pass. */
export function createForward({
  architecture,
  activation,
  parameters,
  standardization,
}: Pick<
  ServedNetwork,
  'architecture' | 'activation' | 'parameters' | 'standardization'
>): KernelForward['forward'] {
  return createKernelForward(
    kernelModule,
    architecture,
    activation,
    parameters,
    standardization,
    kernelOptions,
  ).forward;
}

const CHECKED = 'kernel checked';

/**
 * Compares the kernel with the reference, so that a kernel that was built incorrectly, or that this processor executes
 * incorrectly, is never used. The service calls it at its start, and every thread that trains or predicts at its own: this
 * returns at once if the thread that started it had checked, because V8 shares the compiled code of equal modules between
 * the threads of a process.
 * @throws AtelierError `kernel-differs`
 */
export function checkKernel(): void {
  if (getEnvironmentData(CHECKED) === true) return;
  const difference = selfCheck(createKernelEngine);
  if (difference <= KERNEL_TOLERANCE) {
    setEnvironmentData(CHECKED, true);
    return;
  }
  throw new AtelierError(
    'kernel-differs',
    `The gradient of the kernel differs from the reference by ${difference}; the tolerance is ${KERNEL_TOLERANCE}. ` +
      'The kernel is not used. Please report the processor model.',
  );
}
