/** Thread entry: runs training tasks one after another, and exits on null. */
import { parentPort } from 'node:worker_threads';
import { collectLargeGarbage } from './collect-garbage.ts';
import type { TrainingTask } from './messages.ts';
import { lowerPriority } from './priority.ts';
import { createTrainingSession } from './training-session.ts';

lowerPriority();

const port = parentPort!;
port.on('message', (task: TrainingTask | null) => {
  if (task === null) return port.close();
  createTrainingSession(task, (message, transfer) => port.postMessage(message, transfer)).run();
  // Later, when the call has returned and nothing holds the task any more.
  setImmediate(collectLargeGarbage);
});
