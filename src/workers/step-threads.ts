/** Step threads, the additional threads of one training job. They end with its engine. */
import { Worker } from 'node:worker_threads';
import { messageWithoutPaths } from '../errors.ts';
import type { KernelHandle } from '../numerics/simd/kernel-engine.ts';
import type { StepTask } from './messages.ts';

const ENTRY = new URL('./step.worker.ts', import.meta.url);

/**
 * @param threads number of threads of the job, including the training thread, which is not started here
 * @param onCrash called if a thread crashes or is terminated: a step waits for all ranks, so the job cannot continue.
 *   A thread that is terminated from outside emits no error, only an exit code.
 */
export function startStepThreads(
  share: KernelHandle,
  threads: number,
  onCrash: (reason: string) => void,
): Worker[] {
  return Array.from({ length: threads - 1 }, (_, n) => {
    const worker = new Worker(ENTRY, { workerData: { share, rank: n + 1 } satisfies StepTask });
    worker.on('error', (error) => onCrash(messageWithoutPaths(error)));
    return worker.on('exit', (code) => {
      if (code !== 0) onCrash(`it exited with code ${code}`);
    });
  });
}
