import { createCopyRows } from './copy-rows.ts';
import { instantiate } from './kernel.ts';
import type { KernelShare } from './kernel-engine.ts';

/**
 * A further thread's part of all steps of a job: blocks its thread until the engine's `quit`. The engine's own thread
 * has rank 0, these are ranks 1 … threads − 1, each served once. A thread that comes late or never only makes steps slower. Each
 * copies the rows of its own examples, so that they are in its own processor's cache.
 */
export function serveKernel({ module, memory, rows, pixels }: KernelShare, rank: number): void {
  instantiate(module, memory, createCopyRows(memory, rows, pixels)).serve(rank);
}
