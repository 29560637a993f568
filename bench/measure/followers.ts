/** Clients that follow a job's events, in a separate thread so as not to delay measurements. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** @returns a function that ends them and returns the total number of events read */
export async function follow(url: string, id: string, count: number): Promise<() => Promise<number>> {
  const worker = new Worker(new URL('../subjects/followers.ts', import.meta.url), {
    workerData: { url: `${url}/v1/training-jobs/${id}/events`, count },
  });
  await once(worker, 'message');
  return async () => {
    worker.postMessage('leave');
    const [events] = await once(worker, 'message');
    await worker.terminate();
    return events as number;
  };
}
