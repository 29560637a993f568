/**
 * Process entry: prints the digest of the battery's results, and the time of a typical step, as JSON.
 * usage: vector-battery.ts narrow|wide
 */
import { createHash } from 'node:crypto';
import { batteryResults, createTypicalStep } from '../numerics/simd/battery/results.ts';
import { optimizeNarrowVectors, widenVectors } from './wide-vectors.ts';

/** Enough that a few are not interrupted by other processes. */
const TIMED_STEPS = 100;

if (process.argv[2] === 'wide') widenVectors();
else optimizeNarrowVectors();
// Imported only now, because V8 reads its flags when the import compiles the kernel.
const { kernelModule, kernelOptions } = await import('../workers/kernel/compile.ts');

const hash = createHash('sha256');
for (const numbers of batteryResults(kernelModule, kernelOptions)) hash.update(numbers);

const step = createTypicalStep(kernelModule, kernelOptions);
let stepMs = Number.POSITIVE_INFINITY;
for (let i = 0; i < TIMED_STEPS; i++) {
  const startedAt = performance.now();
  step();
  stepMs = Math.min(stepMs, performance.now() - startedAt);
}
console.log(JSON.stringify({ digest: hash.digest('hex'), stepMs }));
