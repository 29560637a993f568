/** Notices, with a session that cannot listen and returns given looks at the tables. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { NoticeKind } from '../../../../src/store/database/notices.ts';
import { createPostgresNotices } from '../../../../src/store/postgres/replicas/notices.ts';
import type { Changes } from '../../../../src/store/postgres/replicas/processes.ts';

const KINDS: readonly NoticeKind[] = ['event', 'job', 'queue', 'models', 'datasets', 'keys'];

function setUp(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const found = {
    changes: { models: -1, datasets: -1, keys: -1 },
    events: {} as Record<string, number>,
    stopping: [] as string[],
  };
  const asked: unknown[] = [];
  const heard: number[] = [];
  let listens = 0;
  const source = {
    notify: (_payload: string) => {},
    reconnect: () => {},
    beat: (_changes: Changes) => {},
    commit: (_jobId: string) => {},
  };
  const parts = {
    session: {
      async query(statement: string, values?: unknown[]) {
        if (statement === 'listen atelier') throw new Error(`lost ${++listens}`);
        asked.push(values);
        return [structuredClone(found)];
      },
      onNotification(listener: typeof source.notify) {
        source.notify = listener;
      },
      onReconnected(listener: typeof source.reconnect) {
        source.reconnect = listener;
      },
    },
    replicas: {
      id: 'self',
      isCutOff: () => false,
      recordHeard: (number: number) => void heard.push(number),
      onBeat(listener: typeof source.beat) {
        source.beat = listener;
      },
    },
    rows: {
      onCommitted(listener: typeof source.commit) {
        source.commit = listener;
      },
    },
    log: { info() {}, warn() {} },
  };
  const notices = createPostgresNotices(parts as unknown as Parameters<typeof createPostgresNotices>[0]);
  t.after(() => notices.close());
  const received: string[] = [];
  for (const kind of KINDS) notices.on(kind, (subject) => received.push(`${kind} ${subject}`.trim()));
  /** The notices since the last call. */
  const take = () => received.splice(0);
  const pass = async (ms: number) => {
    t.mock.timers.tick(ms);
    await setImmediate();
    return take();
  };
  return { notices, found, asked, heard, source, take, pass, listens: () => listens };
}

test('each change is announced once, with its subject unless an earlier one was missed', (t) => {
  const { heard, source, take } = setUp(t);
  for (const payload of ['models 6 m', 'models 7 m', 'models 7 m', 'models 9 n', 'models 8 o'])
    source.notify(payload);
  assert.deepEqual(take(), ['models', 'models m', 'models']);
  assert.deepEqual(heard, [6, 7, 9]);
  source.beat({ models: 9, datasets: 2, keys: -1 });
  source.notify('keys 0');
  source.notify('event job_1');
  source.commit('job_2');
  assert.deepEqual(take(), ['datasets', 'keys', 'event job_1', 'event job_2']);
  assert.equal(heard.length, 3, 'others do not wait for changes of data sets and keys');
  source.reconnect();
  source.notify('models 1 m');
  assert.deepEqual(take(), ['models'], 'another server counts anew');
});

test('without notices, the tables are read twice a second for the jobs that are followed', async (t) => {
  const { notices, found, asked, pass } = setUp(t);
  assert.equal(notices.mode(), 'polling');
  const [first, second] = [notices.follow('job_1'), notices.follow('job_1')];
  found.events['job_1'] = 3;
  found.stopping.push('job_2');
  assert.deepEqual(await pass(499), []);
  assert.deepEqual(await pass(1), ['event job_1', 'job job_2', 'queue']);
  found.stopping.pop();
  assert.deepEqual(await pass(500), ['queue']);
  first();
  found.events['job_1'] = 4;
  found.changes.models = 0;
  assert.deepEqual(await pass(500), ['models', 'event job_1', 'queue']);
  delete found.events['job_1'];
  assert.deepEqual(await pass(500), ['event job_1', 'queue'], 'the job was deleted');
  second();
  assert.deepEqual(await pass(500), ['queue']);
  assert.deepEqual(
    [asked[3], asked[4]],
    [
      [['job_1'], 'self'],
      [[], 'self'],
    ],
  );
});

test('listening is tried again after a minute of polling, and nothing happens once closed', async (t) => {
  const { notices, listens, pass } = setUp(t);
  for (let poll = 1; poll < 120; poll++) await pass(500);
  assert.equal(listens(), 1);
  await pass(500);
  assert.equal(listens(), 2);
  notices.close();
  assert.deepEqual(await pass(500), []);
});
