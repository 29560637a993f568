import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import os from 'node:os';
import { basename } from 'node:path';
import { type TestContext, test } from 'node:test';
import threads from 'node:worker_threads';
import { createDatasetPool, createNumericPool, createPredictionPool } from '../../src/workers/pools.ts';
import type { Pool, SizedPool } from '../../src/workers/threads/pool.ts';
import type { Tasks } from '../../src/workers/threads/start.ts';
import { applyMocks } from '../support/mocked-builtins.ts';

/** Runs a task in a thread that ends at once. Returns the entry of the thread, and for how long it could be idle. */
async function loseThread(t: TestContext, pool: Pool<Tasks>) {
  const entries: string[] = [];
  class EndingWorker extends EventEmitter {
    constructor(entry: URL) {
      super();
      entries.push(basename(entry.pathname));
      queueMicrotask(() => this.emit('exit', 1));
    }
    ref(): void {}
    unref(): void {}
    postMessage(): void {}
    async terminate(): Promise<void> {}
  }
  t.mock.property(threads, 'Worker', EndingWorker as unknown as typeof threads.Worker);
  applyMocks(t);
  const { mock } = t.mock.method(globalThis, 'setTimeout');
  await assert.rejects(pool.run('task', undefined as never), { code: 'worker-crashed' });
  const waits = mock.calls.map(({ arguments: [, ms] }) => ms);
  mock.restore();
  await pool.close();
  return { entries, waits };
}

for (const [name, create, entry, idleMs] of [
  ['numeric', createNumericPool, 'numeric.worker.ts', 60_000],
  ['prediction', createPredictionPool, 'entry.worker.ts', 60_000],
  ['dataset', createDatasetPool, 'dataset.worker.ts', 1000],
] as const) {
  test(`the ${name} pool reports the loss of a thread, which could be idle for ${idleMs} ms`, async (t) => {
    let lost = 0;
    const pool = create(() => {
      lost += 1;
    });
    assert.deepEqual(await loseThread(t, pool as Pool<Tasks>), { entries: [entry], waits: [idleMs] });
    assert.equal(lost, 1);
  });
}

test('only predictions run on several threads, at most on four and on one for each processor', (t) => {
  let processors = 3;
  t.mock.method(os, 'availableParallelism', () => processors);
  applyMocks(t);
  const sizeOf = (pool: unknown) => (pool as SizedPool<Tasks>).size;
  const sizes = () =>
    [createNumericPool, createDatasetPool, createPredictionPool].map((create) => sizeOf(create(() => {})));
  assert.deepEqual(sizes(), [1, 1, 3]);
  processors = 5;
  assert.deepEqual(sizes(), [1, 1, 4]);
});
