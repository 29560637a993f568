import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { basename } from 'node:path';
import { test } from 'node:test';
import threads, { type Worker, type WorkerOptions } from 'node:worker_threads';
import { loadFashionMnist } from '../../../src/datasets/fashion-mnist.ts';
import type { WorkerMessage } from '../../../src/workers/training/messages.ts';
import { startTrainingThread } from '../../../src/workers/training/thread.ts';
import { planOf } from '../../numerics/fixtures.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import { dense } from '../../support/dense.ts';
import { applyMocks } from '../../support/mocked-builtins.ts';

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
      plan: planOf(dense([784, 64, 10]), { batchSize: 256, epochs: 2, holdout: { fraction: 0.9 } }),
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

test('each further thread of a run has its own rank, and none outlives the others', async (t) => {
  class FakeWorker extends EventEmitter {
    readonly name: string;
    readonly options: WorkerOptions;
    isTerminated = false;
    constructor(entry: URL, options: WorkerOptions) {
      super();
      this.name = basename(entry.pathname);
      this.options = options;
      started.push(this);
    }
    ref(): void {}
    unref(): void {}
    async terminate(): Promise<void> {
      this.isTerminated = true;
    }
  }
  let started: FakeWorker[] = [];
  t.mock.property(threads, 'Worker', FakeWorker as unknown as typeof threads.Worker);
  applyMocks(t);
  for (const lost of [0, 1, 2]) {
    started = [];
    const { isUsable } = startTrainingThread(3);
    const [main, ...others] = started;
    assert.equal(main!.name, 'entry.worker.ts');
    const ports = main!.options.workerData;
    assert.equal(ports.length, 2);
    assert.deepEqual(main!.options.transferList, ports);
    for (const [n, { name, options }] of others.entries()) {
      const { kernels, rank } = options.workerData;
      assert.deepEqual([name, rank], ['step.worker.ts', n + 1]);
      assert.deepEqual(options.transferList, [kernels]);
    }
    assert.equal(isUsable(), true);
    started[lost]!.emit('exit', 1);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isUsable(), false);
    if (lost > 0) main!.emit('exit', 1);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(
      started.map(({ isTerminated }) => isTerminated),
      [lost > 0, true, true],
    );
    for (const port of ports) port.close();
  }
});
