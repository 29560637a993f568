import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createWaitForEnd } from '../../../src/services/events/wait-for-end.ts';
import type { Store } from '../../../src/store/persistent-state.ts';

/** A store whose reads end when the test says so. */
function controlled() {
  const events = new EventEmitter();
  const reads: ((status: string | undefined) => void)[] = [];
  const followed: string[] = [];
  const store = {
    jobs: {
      get: async (id: string) => {
        const status = await new Promise<string | undefined>((resolve) => reads.push(resolve));
        if (status === 'damaged') throw new Error(id);
        return status === undefined ? undefined : { status };
      },
    },
    notices: {
      on: events.on.bind(events),
      follow(id: string) {
        followed.push(id);
        return () => void followed.splice(followed.indexOf(id), 1);
      },
    },
  } as unknown as Store;
  const wait = createWaitForEnd(store);
  const start = (id: string, signal = new AbortController().signal) => {
    const state = { hasEnded: false };
    void wait(id, signal).then(() => (state.hasEnded = true));
    return state;
  };
  return { start, reads, followed, commit: (id: string) => void events.emit('event', id) };
}

test('all who wait for a job share a read, and leave when it has ended or does not exist', async () => {
  for (const last of ['succeeded', undefined]) {
    const { start, reads, followed, commit } = controlled();
    const [one, other] = [start('job_a'), start('job_a')];
    assert.equal(reads.length, 1);
    assert.deepEqual(followed, ['job_a']);
    reads[0]!('running');
    await turn();
    // The second asked during the first read, whose result may be older.
    reads[1]?.('running');
    await turn();
    const before = reads.length;
    commit('job_b');
    assert.equal(reads.length, before);
    commit('job_a');
    assert.equal(reads.length, before + 1);
    assert.deepEqual([one.hasEnded, other.hasEnded], [false, false]);
    reads.at(-1)!(last);
    await turn();
    assert.deepEqual([one.hasEnded, other.hasEnded], [true, true]);
    assert.deepEqual(followed, []);
  }
});

test('an event during a read causes another one', async () => {
  const { start, reads, commit } = controlled();
  const state = start('job_a');
  commit('job_a');
  commit('job_a');
  assert.equal(reads.length, 1);
  reads[0]!('running');
  await turn();
  assert.equal(reads.length, 2);
  reads[1]!('failed');
  await turn();
  assert.equal(state.hasEnded, true);
});

test('a wait goes on after a read that failed, and ends with its signal', async () => {
  const { start, reads, followed, commit } = controlled();
  const cancellation = new AbortController();
  const state = start('job_a', cancellation.signal);
  reads[0]!('damaged');
  await turn();
  assert.equal(state.hasEnded, false);
  commit('job_a');
  assert.equal(reads.length, 2);
  reads[1]!('running');
  await turn();
  cancellation.abort();
  await turn();
  assert.equal(state.hasEnded, true);
  assert.deepEqual(followed, []);
});
