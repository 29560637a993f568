import type { KernelShare } from './engine.ts';
import { instantiate } from './kernel.ts';

/**
 * A further thread's part of all steps of a job: blocks its thread until the engine's `quit`. The engine's own thread
 * has rank 0; ranks 1 … threads − 1 all have to be served.
 */
export function serveKernel({ module, memory }: KernelShare, rank: number): void {
  instantiate(module, memory).serve(rank);
}
