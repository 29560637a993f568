/** Thread entry: a further thread of one kernel. */
import { workerData } from 'node:worker_threads';
import type { KernelHandle } from '../../src/numerics/simd/kernel-engine.ts';
import { runKernelThread } from '../../src/numerics/simd/kernel-engine.ts';

const { handle, rank } = workerData as { handle: KernelHandle; rank: number };
runKernelThread(handle, rank);
