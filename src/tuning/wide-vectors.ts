/** `WIDE_VECTORS`: lets V8 compile the kernel to 256-bit vectors. WebAssembly lacks them. */
import { setFlagsFromString } from 'node:v8';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import type { KernelOptions } from '../numerics/simd/kernel-engine.ts';
import { clearVectors } from './clear-vectors.ts';
import { isOn } from './switches.ts';

/** Only the optimizing compiler joins vectors. Without the baseline compiler, checkKernel checks the final code. */
const OPTIMIZED = '--no-liftoff';
/** The flags that `widenVectors` sets. */
export const WIDE_FLAGS = ['--experimental-wasm-revectorize', OPTIMIZED] as const;

const KEY = 'wide vectors';

/**
 * Lets V8 join pairs of the kernel's 128-bit vectors on processors with 256-bit vectors: same results, faster. The V8
 * flag is experimental. Call this before the kernel is compiled; it applies to all threads of the process.
 */
export function widenVectors(): void {
  for (const flag of WIDE_FLAGS) setFlagsFromString(flag);
  setEnvironmentData(KEY, true);
}

/** Compiles the kernel as `widenVectors` does, except that vectors are not joined: what to compare with. */
export function optimizeNarrowVectors(): void {
  setFlagsFromString(OPTIMIZED);
}

/** Whether `widenVectors` was called before this thread was started, in any thread of the process above it. */
export function areVectorsWide(): boolean {
  return getEnvironmentData(KEY) === true;
}

/** The options of a kernel that this thread compiles. */
export function vectorOptions(): Pick<KernelOptions, 'wide' | 'afterCall'> {
  const wide = areVectorsWide();
  return { wide, ...(wide && isOn('clear-vectors') && { afterCall: clearVectors }) };
}
