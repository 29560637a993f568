import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { createLocalRuns, Preemption } from '../../src/queue/local-runs.ts';

/** Runs that go on until they are stopped, and the calls of a policy that always stops the first candidate. */
function startRuns() {
  const calls: string[][] = [];
  const runs = createLocalRuns(async (_waiting, candidates) => {
    calls.push(candidates.map(({ id }) => id));
    return candidates[0]?.id;
  });
  const start = (id: string, hold: Promise<void>) => {
    const reason = Promise.withResolvers<unknown>();
    const run = async (signal: AbortSignal) => {
      await once(signal, 'abort');
      reason.resolve(signal.reason);
      await hold;
    };
    runs.start(id, { bytes: 1, [Symbol.dispose]() {} }, run, () => {});
    return reason.promise;
  };
  return { runs, start, calls };
}

test('stops no further run for a waiting job while one is stopping', async () => {
  const { runs, start, calls } = startRuns();
  const released = Promise.withResolvers<void>();
  const reason = start('a', released.promise);
  start('b', released.promise);
  await runs.preemptFor('c', 'slot');
  const preemption = await reason;
  assert.ok(preemption instanceof Preemption && preemption.by === 'c');
  await runs.preemptFor('c', 'slot');
  await runs.preemptFor('d', 'memory');
  assert.deepEqual(calls, [['a', 'b']]);
  released.resolve();
  await runs.close();
  await runs.preemptFor('c', 'slot');
  assert.deepEqual(calls, [['a', 'b']], 'nothing is running');
});
