/** Thread entry: reports progress once, then never reads its stop flag. */
import { parentPort } from 'node:worker_threads';
import type { WorkerMessage } from '../../../src/workers/messages/shapes.ts';

const progress = {
  epoch: 1,
  epochs: 2,
  step: 7,
  steps: 9,
  fraction: 7 / 9,
  imagesPerSecond: 1,
  etaSeconds: 1,
};
parentPort!.postMessage({ kind: 'progress', progress } satisfies WorkerMessage);
for (;;);
