import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { loadFashionMnist } from '../../../src/datasets/fashion-mnist.ts';
import type { WorkerMessage } from '../../../src/workers/training/messages.ts';
import { startTrainingThread } from '../../../src/workers/training/thread.ts';
import { planOf } from '../../numerics/fixtures.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import { dense } from '../../support/dense.ts';

const { train, test: tested } = await loadFashionMnist(DATA_DIR);

/** Trains for longer than a thread takes to start. */
async function parametersWith(threads: number) {
  let started = 0;
  const count = () => started++;
  process.on('worker', count);
  const thread = startTrainingThread(threads);
  let last: WorkerMessage | undefined;
  const task = thread.run(
    {
      plan: planOf(dense([784, 64, 10]), { batchSize: 256, epochs: 2, validationFraction: 0.9 }),
      threads,
      checkGradient: false,
      budgetSeconds: null,
      checkpointEverySeconds: 86_400,
      stopAfterEpoch: null,
      checkpoint: null,
      train,
      test: tested,
      testOnce: true,
    },
    async (message) => {
      last = message;
    },
  );
  await task.ended.finally(thread.end);
  process.off('worker', count);
  assert.equal(started, threads);
  assert.ok(last?.kind === 'completed', JSON.stringify(last));
  return last.result.parameters;
}

test('a training on several threads has the same bits as on one', async () => {
  assert.deepEqual(await parametersWith(2), await parametersWith(1));
});

test('the heap of a training thread is limited', async () => {
  const started = once(process, 'worker') as Promise<[Worker]>;
  const thread = startTrainingThread(1);
  const [worker] = await started;
  const { maxOldGenerationSizeMb, maxYoungGenerationSizeMb } = worker.resourceLimits!;
  await thread.end();
  assert.deepEqual([maxOldGenerationSizeMb, maxYoungGenerationSizeMb], [256, 16]);
});
