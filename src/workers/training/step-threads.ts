/** The threads of a training step after the first, as the thread that starts them sees them. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { startThread, type Tasks, type Thread } from '../threads/start.ts';
import type { StepThreadData } from './step.worker.ts';

const ENTRY = new URL('./step.worker.ts', import.meta.url);

export interface StepThread {
  /** Sends the rank of the thread once it can run, and takes the handle of the kernel of each run. */
  readonly port: MessagePort;
  readonly thread: Thread<Tasks>;
}

/** @param threads the number of threads of a step, the one with rank 0 included */
export const startStepThreads = (threads: number): StepThread[] =>
  Array.from({ length: threads - 1 }, (_, n) => {
    const { port1: port, port2: kernels } = new MessageChannel();
    const thread = startThread(ENTRY, 'Another thread of the training job', {
      workerData: { kernels, rank: n + 1 } satisfies StepThreadData,
      transferList: [kernels],
    });
    return { port, thread };
  });
