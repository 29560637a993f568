import type { KernelShare } from './engine.ts';
import { instantiate } from './kernel.ts';
import { createCopyRows } from './rows.ts';

/**
 * A further thread's part of all steps of a job: blocks its thread until the engine's `quit`. The engine's own thread
 * has rank 0; ranks 1 … threads − 1 all have to be served. Each thread copies the rows of its own examples, so that they
 * are in its own processor's cache.
 */
export function serveKernel({ module, memory, rows, pixels }: KernelShare, rank: number): void {
  instantiate(module, memory, createCopyRows(memory, rows, pixels)).serve(rank);
}
