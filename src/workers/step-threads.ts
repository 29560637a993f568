/** Step threads, the additional threads of a training thread. They end with it. */
import { Worker } from 'node:worker_threads';
import { messageWithoutPaths } from '../errors.ts';
import type { KernelHandle } from '../numerics/simd/kernel-engine.ts';
import type { StepTask } from './messages.ts';

const ENTRY = new URL('./step.worker.ts', import.meta.url);

export interface StepThreads {
  /** Lets the threads join the steps of a kernel until the shutdown of its engine. The first call starts them. */
  join(share: KernelHandle): void;
  /** Ends threads that have left every kernel. */
  end(): void;
  terminate(): void;
}

/**
 * @param count number of threads besides the training thread
 * @param onCrash called if a thread crashes or is terminated: a step waits for all ranks, so the job cannot continue.
 *   A thread that is terminated from outside emits no error, only an exit code.
 */
export function createStepThreads(count: number, onCrash: (reason: string) => void): StepThreads {
  let workers: readonly Worker[] = [];

  function start(): Worker {
    const worker = new Worker(ENTRY);
    worker.on('error', (error) => onCrash(messageWithoutPaths(error)));
    return worker.on('exit', (code) => {
      if (code !== 0) onCrash(`it exited with code ${code}`);
    });
  }

  return {
    join(share) {
      if (workers.length === 0) workers = Array.from({ length: count }, start);
      for (const [n, worker] of workers.entries()) {
        worker.postMessage({ share, rank: n + 1 } satisfies StepTask);
      }
    },
    end() {
      for (const worker of workers) worker.postMessage(null);
    },
    terminate() {
      for (const worker of workers) worker.terminate();
    },
  };
}
