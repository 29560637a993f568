/** Thread entry: trains, one run after another, with the step threads at the ends of its ports. */
import { type MessagePort, workerData } from 'node:worker_threads';
import { collectGarbage } from '../../tuning/collect-garbage.ts';
import { lowerPriority } from '../threads/priority.ts';
import { report, serve } from '../threads/serve.ts';
import type { TrainingTask } from './messages.ts';
import { train } from './train.ts';

const stepThreads = workerData as readonly MessagePort[];

const tasks = {
  train: (task: TrainingTask) =>
    train(task, report, (kernel) => {
      // Not by way of the main thread: it would hold the kernel's memory until its next garbage collection.
      for (const port of stepThreads) port.postMessage(kernel);
    }),
};
export type TrainingTasks = typeof tasks;

lowerPriority();
serve(
  tasks,
  {
    train(final) {
      if (final.kind === 'completed') return [final.result.parameters];
      return final.kind === 'stopped' && final.checkpoint ? [final.checkpoint.bytes] : [];
    },
  },
  // V8 does not count shared memory.
  collectGarbage,
);
