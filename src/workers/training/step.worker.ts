/** Thread entry: one rank of the runs of a training thread. It exits when that thread does. */
import { type MessagePort, workerData } from 'node:worker_threads';
import { type KernelHandle, runKernelThread } from '../../numerics/simd/kernel-engine.ts';
import { collectGarbage } from '../../tuning/collect-garbage.ts';
import { lowerPriority } from '../threads/priority.ts';

export interface StepThreadData {
  /** Sends the rank once, and receives the handle of the kernel of each run. */
  readonly kernels: MessagePort;
  /** 1 … threads − 1; the engine's own thread is rank 0. */
  readonly rank: number;
}

lowerPriority();

const { kernels, rank } = workerData as StepThreadData;
kernels.on('message', (kernel: KernelHandle) => {
  runKernelThread(kernel, rank);
  // V8 does not count the kernel's memory, and this thread allocates too little for a collection.
  setImmediate(collectGarbage);
});
kernels.postMessage(rank);
