/** Thread entry: runs one training job. The thread's memory is freed when it exits. */
import { parentPort, workerData } from 'node:worker_threads';
import type { TrainingTask } from './messages.ts';
import { lowerPriority } from './priority.ts';
import { createTrainingSession } from './training-session.ts';

lowerPriority();

const port = parentPort!;
const session = createTrainingSession(workerData as TrainingTask, (message, transfer) =>
  port.postMessage(message, transfer),
);
session.run();
