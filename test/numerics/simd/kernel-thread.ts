/** Thread entry: a further thread of kernels that run on several, one after another. */
import { parentPort } from 'node:worker_threads';
import { type KernelHandle, runKernelThread } from '../../../src/numerics/simd/kernel-engine.ts';

parentPort!.on('message', ({ handle, rank }: { readonly handle: KernelHandle; readonly rank: number }) => {
  runKernelThread(handle, rank);
  parentPort!.postMessage('ended');
});
