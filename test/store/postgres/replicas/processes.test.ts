/** Beats of a process, with a session that returns given rows, and a clock that the test sets. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { joinReplicas, type ReplicaOffer } from '../../../../src/store/postgres/replicas/processes.ts';
import type { Session } from '../../../../src/store/postgres/replicas/session.ts';

const offer: ReplicaOffer = {
  role: 'worker',
  slots: 2,
  jobBytes: 1000,
  environment: { kernel: 'k', fused: true },
};
const other = { ...offer, id: 'other' };

/** Joins at the time 0. `reply` is what each beat receives. */
async function joinAlone(t: TestContext, reply: { isAway: boolean; firstDeathMs: number | null }) {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const beats: unknown[][] = [];
  const others: string[] = [];
  let reconnect = () => {};
  const session = {
    async query(statement: string, values: unknown[] = []) {
      if (!statement.includes('with beat')) return void others.push(statement.trim().split(' ')[0]!);
      beats.push(values);
      if (reply.isAway) throw new Error('lost');
      return [{ changes: { models: 5, datasets: 0, keys: 0 }, others: [other], ...reply }];
    },
    onReconnected: (listener: () => void) => {
      reconnect = listener;
    },
  } as unknown as Session;
  const replicas = await joinReplicas(session, offer);
  return {
    replicas,
    beats,
    others,
    reconnect: () => reconnect(),
    async pass(ms: number) {
      now += ms;
      t.mock.timers.tick(ms);
      await setImmediate();
    },
  };
}

test('a process renews its row twice a second with what it offers, and lists itself first', async (t) => {
  const { replicas, beats, others, pass } = await joinAlone(t, { isAway: false, firstDeathMs: null });
  const { id } = replicas;
  const row = [id, 'worker', 2, 1000, 'k', 1];
  assert.deepEqual(beats, [
    [...row, null],
    [...row, 5],
  ]);
  assert.deepEqual(replicas.live(), [{ id, ...offer }, other]);
  await pass(499);
  assert.equal(beats.length, 2);
  await pass(1);
  assert.equal(beats.length, 3);
  for (let beat = 1; beat <= 120; beat++) await pass(500);
  assert.equal(beats.length, 123);
  assert.deepEqual(others, ['delete', 'delete'], 'dead rows are deleted once a minute');
});

test('a process is trusted for 2 s after a beat, and steady after 3 s of beats', async (t) => {
  const reply = { isAway: false, firstDeathMs: null };
  const { replicas, pass } = await joinAlone(t, reply);
  const states: (readonly boolean[])[] = [];
  for (let beat = 0; beat < 26; beat++) {
    reply.isAway = beat >= 12 && beat < 18;
    if (beat > 0) await pass(500);
    states.push([replicas.isTrusted(), replicas.isSteady(), replicas.isCutOff()]);
  }
  const times = <T>(count: number, state: T) => new Array<T>(count).fill(state);
  const [young, old] = [
    [true, false, false],
    [true, true, false],
  ];
  assert.deepEqual(states, [
    ...times(6, young),
    ...times(6, old),
    // The next six beats fail, and the first one after them does not count.
    ...[old, ...times(2, [true, true, true]), ...times(3, [false, false, true]), [false, false, false]],
    ...times(5, young),
    ...times(2, old),
  ]);
});

test('a beat that fails after a pause of the process does not cut it off, but the next one does', async (t) => {
  const reply = { isAway: false, firstDeathMs: null };
  const { replicas, pass } = await joinAlone(t, reply);
  reply.isAway = true;
  await pass(1000);
  await pass(10_000);
  assert.equal(replicas.isCutOff(), false);
  await pass(1000);
  assert.equal(replicas.isCutOff(), true);
});

test('a process looks right after the time at which another one would count as dead', async (t) => {
  const { beats, pass } = await joinAlone(t, { isAway: false, firstDeathMs: 300 });
  await pass(1000);
  const before = beats.length;
  await pass(304);
  assert.equal(beats.length, before);
  await pass(1);
  assert.equal(beats.length, before + 1);
});

test('a process beats at once when its session is open again, and hears all changes anew', async (t) => {
  const { beats, reconnect, pass } = await joinAlone(t, { isAway: false, firstDeathMs: null });
  reconnect();
  await pass(0);
  assert.deepEqual(
    beats.map((values) => values.at(-1)),
    [null, 5, 0],
  );
});

test('a process that leaves deletes its row and beats no more', async (t) => {
  const { replicas, beats, others, pass } = await joinAlone(t, { isAway: false, firstDeathMs: null });
  replicas.recordHeard(9);
  await replicas.close();
  await pass(10_000);
  assert.equal(beats.length, 2);
  assert.deepEqual(others, ['update', 'delete']);
});
