/**
 * Process entry: prints the digest of the battery's results, and which fraction of the time of narrow vectors a typical
 * step takes, as JSON.
 * usage: vector-battery.ts narrow|wide
 */
import { createHash } from 'node:crypto';
import { batteryResults, createTypicalStep } from '../numerics/simd/battery/results.ts';
import { kernelBytes } from '../workers/kernel/bytes.ts';
import { optimizeNarrowVectors, widenVectors } from './wide-vectors.ts';

/** Steps of 0.2 ms, enough that a few are not interrupted by other processes. */
const TIMED_STEPS = 500;
/** An empty custom section. With it, V8 does not take the code of the wide kernel for the narrow one. */
const SECTION = Uint8Array.of(0, 2, 1, 0x6e);

optimizeNarrowVectors();
let narrowStep: (() => void) | undefined;
if (process.argv[2] === 'wide') {
  const module = new WebAssembly.Module(Buffer.concat([kernelBytes, SECTION]));
  narrowStep = createTypicalStep(module, { wide: false });
  // Compiles the narrow kernel, before the flags change.
  narrowStep();
  widenVectors();
}
// Imported only now, because V8 reads its flags when the import compiles the kernel.
const { kernelModule, kernelOptions } = await import('../workers/kernel/compile.ts');

const hash = createHash('sha256');
for (const numbers of batteryResults(kernelModule, kernelOptions)) hash.update(numbers);
const digest = hash.digest('hex');

console.log(JSON.stringify({ digest, fraction: narrowStep ? timeFraction(narrowStep) : 1 }));

/** Compares the fastest steps. Both kernels take turns, because the speed of a shared processor changes within seconds. */
function timeFraction(narrowStep: () => void): number {
  const wideStep = createTypicalStep(kernelModule, kernelOptions);
  const time = (step: () => void): number => {
    const startedAt = performance.now();
    step();
    return performance.now() - startedAt;
  };
  let [narrowMs, wideMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let i = 0; i < TIMED_STEPS; i++) {
    narrowMs = Math.min(narrowMs, time(narrowStep));
    wideMs = Math.min(wideMs, time(wideStep));
  }
  return wideMs / narrowMs;
}
