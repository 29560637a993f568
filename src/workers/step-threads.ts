/** The further threads of one training job. They end with `quit` of the job's engine, or are ended. */
import { Worker } from 'node:worker_threads';
import type { KernelShare } from '../numerics/simd/engine.ts';

const ENTRY = new URL('./step.worker.ts', import.meta.url);

export interface StepTask {
  readonly share: KernelShare;
  /** 1 … threads − 1; the engine's own thread is rank 0 */
  readonly rank: number;
}

/** @param onCrash a step waits for every rank: without one of them the job cannot go on */
export function startStepThreads(
  share: KernelShare,
  threads: number,
  onCrash: (error: Error) => void,
): Worker[] {
  return Array.from({ length: threads - 1 }, (_, n) => {
    const worker = new Worker(ENTRY, { workerData: { share, rank: n + 1 } satisfies StepTask });
    return worker.on('error', onCrash);
  });
}
