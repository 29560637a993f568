/** The threads of a training step after the first, as the thread that starts them sees them. */
import { MessageChannel } from 'node:worker_threads';
import { startThread, type Tasks, type Thread } from '../threads/start.ts';
import type { StepThreadData } from './step.worker.ts';

const ENTRY = new URL('./step.worker.ts', import.meta.url);

/**
 * A channel for each thread of a step after the first. The thread sends its rank to `port1` once it can run, and takes the
 * handle of the kernel of each run from there.
 */
export const stepChannels = (threads: number): MessageChannel[] =>
  Array.from({ length: threads - 1 }, () => new MessageChannel());

/** Starts the threads at the other ends of the channels. */
export const startStepThreads = (channels: readonly MessageChannel[]): Thread<Tasks>[] =>
  channels.map(({ port2: kernels }, n) =>
    startThread(ENTRY, 'Another thread of the training job', {
      workerData: { kernels, rank: n + 1 } satisfies StepThreadData,
      transferList: [kernels],
    }),
  );
