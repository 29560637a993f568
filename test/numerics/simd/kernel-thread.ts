/** A further thread of a kernel's job. */
import { workerData } from 'node:worker_threads';
import { serveKernel } from '../../../src/numerics/simd/serve.ts';

serveKernel(workerData.share, workerData.rank);
