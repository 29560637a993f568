/** Thread entry: reports progress once, then never reads its stop flag. */
import { report } from '../../../src/workers/threads/serve.ts';
import type { WorkerReport } from '../../../src/workers/training/messages.ts';

const progress = {
  epoch: 1,
  epochs: 2,
  step: 7,
  steps: 9,
  fraction: 7 / 9,
  imagesPerSecond: 1,
  etaSeconds: 1,
};
report({ kind: 'progress', progress } satisfies WorkerReport);
for (;;);
