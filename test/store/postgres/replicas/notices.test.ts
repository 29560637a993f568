/** Notices, with a session that cannot listen and returns given looks at the tables. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { NoticeKind } from '../../../../src/store/database/notices.ts';
import { createPostgresNotices } from '../../../../src/store/postgres/replicas/notices.ts';
import type { Changes } from '../../../../src/store/postgres/replicas/processes.ts';
import { mockWaits } from '../../../support/mocked-builtins.ts';
import { fakeDatabase } from '../fake-database.ts';

const KINDS: readonly NoticeKind[] = ['event', 'job', 'queue', 'models', 'datasets', 'keys'];

/** @param send what becomes of test notices; without it, the session cannot listen */
function setUp(t: TestContext, send?: (payload: string) => void) {
  mockWaits(t);
  const found = {
    changes: { models: -1, datasets: -1, keys: -1 },
    events: {} as Record<string, number>,
    stopping: [] as string[],
  };
  const asked: unknown[] = [];
  const heard: number[] = [];
  const messages: string[] = [];
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
        if (statement === 'listen atelier') {
          listens += 1;
          if (!send) throw new Error('lost');
          return [];
        }
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
      db: fakeDatabase(({ parameters: [payload] }) => {
        send?.(String(payload));
        return [];
      }),
      onCommitted(listener: typeof source.commit) {
        source.commit = listener;
      },
    },
    log: {
      info: (_fields: object, message: string) => void messages.push(message),
      warn: (message: string) => void messages.push(message),
    },
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
  return { notices, found, asked, heard, messages, source, take, pass, listens: () => listens };
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

test('a warning is logged when notices cease to arrive, and a message when they arrive again', async (t) => {
  /** Test notices that arrive before one is lost. */
  let arriving = 2;
  const { notices, messages, source, pass } = setUp(t, (payload) => {
    assert.match(payload, /^proof /);
    if (arriving-- > 0) source.notify(payload);
  });
  let gaps = 0;
  notices.onGap(() => gaps++);
  /** Listens anew, and waits until it is known whether notices arrive. */
  const listen = async (count: number) => {
    arriving = count;
    source.reconnect();
    for (let turn = 0; turn < 20; turn++) await pass(0);
    const { length } = messages;
    await pass(1999);
    for (let turn = 0; turn < 20; turn++) await pass(0);
    assert.equal(messages.length, length, 'a test notice may take two seconds');
    await pass(1);
    for (let turn = 0; turn < 20; turn++) await pass(0);
    return [notices.mode(), messages.splice(0).map((message) => message.split(',')[0])];
  };
  const [ceased, again] = ['notices of the database do not arrive', 'notices of the database arrive again'];
  assert.deepEqual(await listen(2), ['polling', [ceased]]);
  assert.deepEqual(await listen(0), ['polling', []]);
  assert.deepEqual(await listen(3), ['listening', [again]]);
  assert.deepEqual(await listen(3), ['listening', []]);
  assert.deepEqual(await listen(0), ['polling', [ceased]]);
  assert.ok(gaps >= 5);
});
