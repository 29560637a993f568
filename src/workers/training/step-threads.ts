/** Step threads, the additional threads of a training thread. They end with it. */
import { type MessagePort, Worker } from 'node:worker_threads';
import { messageWithoutPaths } from '../../errors.ts';
import type { StepThreadData } from '../messages/shapes.ts';

const ENTRY = new URL('./step.worker.ts', import.meta.url);

/**
 * @param ports each the end of a channel by which the training thread hands its kernels to a step thread
 * @param onCrash called if a thread crashes or is terminated: a step waits for all ranks, so the job cannot continue.
 *   A thread that is terminated from outside emits no error, only an exit code.
 */
export function startStepThreads(
  ports: readonly MessagePort[],
  onCrash: (reason: string) => void,
): readonly Worker[] {
  return ports.map((kernels, n) => {
    const workerData: StepThreadData = { kernels, rank: n + 1 };
    const worker = new Worker(ENTRY, { workerData, transferList: [kernels] });
    worker.on('error', (error) => onCrash(messageWithoutPaths(error)));
    return worker.on('exit', (code) => {
      if (code !== 0) onCrash(`it exited with code ${code}`);
    });
  });
}
