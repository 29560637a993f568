/** Thread entry: one rank of a training job that runs on several threads. */
import { workerData } from 'node:worker_threads';
import { runKernelThread } from '../numerics/simd/kernel-engine.ts';
import type { StepTask } from './messages.ts';
import { lowerPriority } from './priority.ts';

lowerPriority();

const { share, rank } = workerData as StepTask;
runKernelThread(share, rank);
