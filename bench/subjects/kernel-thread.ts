/** Thread entry: a further thread of one kernel. */
import { workerData } from 'node:worker_threads';
import type { KernelShare } from '../../src/numerics/simd/kernel-engine.ts';
import { serveKernel } from '../../src/numerics/simd/serve.ts';

const { share, rank } = workerData as { share: KernelShare; rank: number };
serveKernel(share, rank);
