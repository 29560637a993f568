/** Thread entry: a further thread of a kernel that runs on several. */
import { workerData } from 'node:worker_threads';
import { runKernelThread } from '../../../src/numerics/simd/kernel-engine.ts';

runKernelThread(workerData.handle, workerData.rank);
