/** Thread entry: runs training tasks one after another, and exits on null. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { collectGarbage } from '../../tuning/collect-garbage.ts';
import type { ShareMessage, TrainingTask, WorkerMessage } from '../messages/shapes.ts';
import { lowerPriority } from '../threads/priority.ts';
import { createTrainingSession } from './train.ts';

lowerPriority();

const main = parentPort!;
const stepThreads = workerData as readonly MessagePort[];

function post(message: WorkerMessage | ShareMessage, transfer: readonly ArrayBuffer[]): void {
  if (message.kind !== 'share') main.postMessage(message, transfer);
  // Not by way of the main thread, which would hold the kernel's memory until its next garbage collection.
  else for (const port of stepThreads) port.postMessage(message.share);
}

main.on('message', async (task: TrainingTask | null) => {
  if (task === null) return main.close();
  await createTrainingSession(task, post).run();
  // V8 does not count shared memory. Later, when the call has returned and nothing holds the task any more.
  setImmediate(collectGarbage);
});
