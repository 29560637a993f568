import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { readConfig } from '../../src/config/read.ts';
import { openState } from '../../src/process/state.ts';
import type { openPostgresStore } from '../../src/store/postgres/open.ts';
import { detectEnvironment } from '../../src/workers/kernel/compile.ts';
import { withFakes } from '../support/fake-modules.ts';
import { temporaryDatabase, withoutPostgres } from '../support/servers/postgres.ts';
import { addCleanup, temporaryDirectory } from '../support/start-service.ts';

test('a replica with ROLE=api offers no slots, and cannot maintain the queue', {
  skip: withoutPostgres,
}, async (t) => {
  const DATABASE_URL = await temporaryDatabase(t);
  async function open(ROLE: string) {
    const STATE_DIR = await temporaryDirectory(t);
    const config = readConfig({ DATABASE_URL, STATE_DIR, ROLE, TRAINING_WORKERS: '1' });
    const { capacity, close, cluster } = await openState(config, 1000, pino({ level: 'silent' }));
    addCleanup(t, close);
    return { capacity: capacity(), queue: cluster!.boss.queue };
  }
  const api = await open('api');
  assert.deepEqual(api.capacity, { slots: 0, jobBytes: 0 });
  const worker = await open('worker');
  assert.deepEqual(worker.capacity, { slots: 1, jobBytes: 1000 });
  // The maintenance of the queue needs the rows of statements that are sent together.
  const send = async ({ queue }: typeof api) =>
    (await queue.getDb().executeSql('select 1 n; select 2 n')).rows;
  assert.deepEqual(await send(worker), [{ n: 1 }, { n: 2 }]);
  assert.deepEqual(await send(api), []);
});

const STATE = join(import.meta.dirname, '../../src/process/state.ts');
const DATABASE_URL = 'postgresql://127.0.0.1:1/none';
const DATABASE_DIRECT_URL = 'postgresql://127.0.0.1:2/none';

/** Opens the state of a process with other modules for the database. Returns what happened, in order. */
async function openWithFakes(ROLE: string, joins = true) {
  const happened: unknown[] = [];
  const note = (name: string) => async (value?: unknown) => {
    happened.push(value === undefined ? name : [name, value]);
  };
  const config = readConfig({
    DATABASE_URL,
    DATABASE_DIRECT_URL,
    ROLE,
    TRAINING_WORKERS: '3',
    STATE_DIR: '/state',
  });
  const replicas = { live: () => [{ slots: 3, jobBytes: 7 }] };
  const send = () => {};
  const fakes = {
    'pg-boss.ts': {
      migrateBoss: note('migrate'),
      startBoss: async (options: { db: unknown; send: unknown; onError: (error: Error) => void }) => {
        happened.push(['start', options.db, options.send === send]);
        options.onError(new Error('a repeated failure'));
        return { close: note('close queue') };
      },
    },
    'tickets.ts': { createTickets: () => 'tickets' },
    'postgres/open.ts': {
      async openPostgresStore({
        openTickets,
        url,
        directory,
        offer,
      }: Parameters<typeof openPostgresStore>[0]) {
        assert.deepEqual([url, directory], [DATABASE_URL, '/state']);
        happened.push(['offer', offer]);
        assert.equal(await openTickets!('db' as never, send as never), 'tickets');
        if (!joins) throw new Error('cannot join');
        return { replicas, close: note('close store') };
      },
    },
  };
  const warned: unknown[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => warned.push(JSON.parse(line).err.message) });
  const opened = await withFakes(STATE, fakes, ({ openState: open }: { openState: typeof openState }) =>
    open(config, 7, log),
  ).catch((error: Error) => error);
  assert.deepEqual(warned, ['a repeated failure']);
  return { happened, opened };
}

test('replicas offer their slots, memory and kernel, and close the queue before the store', async () => {
  const { kernel, fused } = detectEnvironment();
  for (const [role, slots] of [
    ['all', 3],
    ['worker', 3],
    ['api', 0],
  ] as const) {
    const { happened, opened } = await openWithFakes(role);
    assert.ok('close' in opened);
    assert.deepEqual([opened.cluster!.slots, opened.cluster!.tickets], [slots, 'tickets']);
    assert.deepEqual(opened.capacity(), { slots: 3, jobBytes: 7 });
    await opened.close();
    assert.deepEqual(happened, [
      ['offer', { role, slots, jobBytes: 7, environment: { kernel: kernel.digest, fused } }],
      ['migrate', DATABASE_DIRECT_URL],
      ['start', 'db', slots > 0],
      'close queue',
      'close store',
    ]);
  }
});

test('a replica that cannot join closes its queue', async () => {
  const { happened, opened } = await openWithFakes('all', false);
  assert.deepEqual([String(opened), happened.at(-1)], ['Error: cannot join', 'close queue']);
});
