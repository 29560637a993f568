import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { timeTraining } from '../../../src/workers/tasks/time-training.ts';
import { planOf } from '../../numerics/fixtures.ts';
import { dense } from '../../support/dense.ts';

const COUNT = 600;
const pixels = new Uint8Array(new SharedArrayBuffer(16 * COUNT));
for (let i = 0; i < pixels.length; i++) pixels[i] = (i * 89 + (i >> 4) * 7) % 256;
const train = { pixels, labels: Uint8Array.from({ length: COUNT }, (_, n) => n % 3) };

/** Times steps of so many threads, and returns the ends of the threads that it starts. */
async function timeIn(t: TestContext, threads: number) {
  const exits: Promise<unknown>[] = [];
  const add = (worker: Worker) => exits.push(once(worker, 'exit'));
  process.on('worker', add);
  t.after(() => process.off('worker', add));
  const times = await timeTraining({ plan: planOf(dense([16, 8, 3])), train, batchSize: 16, threads });
  return { times, exits };
}

for (const threads of [1, 2, 3]) {
  test(`a step is timed in ${threads} threads, which end afterwards`, async (t) => {
    const { times, exits } = await timeIn(t, threads);
    assert.equal(exits.length, threads - 1);
    await Promise.all(exits);
    for (const [name, microseconds] of Object.entries(times)) assert.ok(microseconds > 0, name);
  });
}
