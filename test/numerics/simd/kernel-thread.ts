/** A further thread of a kernel's job. */
import { workerData } from 'node:worker_threads';
import { runKernelThread } from '../../../src/numerics/simd/kernel-engine.ts';

runKernelThread(workerData.handle, workerData.rank);
