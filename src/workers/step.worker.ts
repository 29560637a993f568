/** Thread entry: one rank of the trainings of a training thread that uses several threads. */
import { parentPort } from 'node:worker_threads';
import { runKernelThread } from '../numerics/simd/kernel-engine.ts';
import { collectLargeGarbage } from './collect-garbage.ts';
import type { StepTask } from './messages.ts';
import { lowerPriority } from './priority.ts';

lowerPriority();

const port = parentPort!;
port.on('message', (task: StepTask | null) => {
  if (task === null) return port.close();
  runKernelThread(task.share, task.rank);
  setImmediate(collectLargeGarbage);
});
