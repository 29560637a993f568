/** Thread entry: one rank of the trainings of a training thread. It exits when that thread does. */
import { workerData } from 'node:worker_threads';
import { type KernelHandle, runKernelThread } from '../../numerics/simd/kernel-engine.ts';
import { collectGarbage } from '../../tuning/collect-garbage.ts';
import type { StepThreadData } from '../messages/shapes.ts';
import { lowerPriority } from '../threads/priority.ts';

lowerPriority();

const { kernels, rank } = workerData as StepThreadData;
kernels.on('message', (share: KernelHandle) => {
  runKernelThread(share, rank);
  // V8 does not count the kernel's memory, and this thread allocates too little for a collection.
  setImmediate(collectGarbage);
});
