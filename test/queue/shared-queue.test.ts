import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { Kysely } from 'kysely';
import { openJobQueue } from '../../src/queue/shared-queue.ts';
import type { Database } from '../../src/store/database/tables.ts';
import { blobDatabase } from '../store/postgres/blob-database.ts';
import { execute, withoutPostgres } from '../support/servers/postgres.ts';

const RUNS = {
  'here queued': ['queued', null],
  'here own': ['running', 'self'],
  'here moved': ['running', 'living'],
  'here cancelling': ['cancelling', 'self'],
  'of the living': ['running', 'living'],
  'of the dead': ['running', 'dead'],
  'own, not here': ['pausing', 'self'],
} as const;

async function databaseOfRuns(t: TestContext): Promise<Kysely<Database>> {
  const { db, url } = await blobDatabase(t);
  const jobs = Object.entries(RUNS).map(
    ([id, [status, runner]]) =>
      `('${id}', '${status}', '{}', '2026-11-26T00:00:00.000Z', 1, '{}', 0, 2, ${runner && `'${runner}'`})`,
  );
  await execute(
    url,
    `insert into atelier.replicas values ('living', 'all', 1, 0, '', 0, 0, now()), ('self', 'all', 4, 0, '', 0, 0, now())`,
    `insert into atelier.jobs (id, status, request, created_at, attempts, progress, event_count, run, runner)
    values ${jobs.join()}`,
  );
  return db;
}

function setUp(db: Kysely<Database>, slots: number) {
  const waiting: string[] = [];
  const stopped: string[] = [];
  const recovered: string[] = [];
  const listeners = new Map<string, () => void>();
  const looked = Promise.withResolvers<void>();
  const defect = Promise.withResolvers<string>();
  const state = { isSteady: false };
  const options = {
    next: async () => waiting.map((id) => ({ id }))[0],
    async runJob(id: string, signal: AbortSignal) {
      waiting.shift();
      await once(signal, 'abort');
      stopped.push(id);
    },
    slots,
    onDefect: (id: string, error: unknown) => defect.resolve(`${id}: ${error}`),
  };
  const queue = openJobQueue(options, {
    boss: { db },
    table: 'jobs',
    replicas: {
      id: 'self',
      isSteady() {
        looked.resolve();
        return state.isSteady;
      },
      onBeat(listener) {
        listeners.set('beat', () => listener({ models: 0, datasets: 0, keys: 0 }));
      },
    },
    notices: { on: (kind, listener) => void listeners.set(kind, () => listener('')) },
    async recover(id, run) {
      recovered.push(`${id} ${run}`);
      if (id === 'of the dead') throw new Error('damaged');
    },
  });
  return {
    queue,
    waiting,
    stopped,
    recovered,
    listeners,
    looked: looked.promise,
    defect: defect.promise,
    state,
  };
}

test('a process stops runs that it shall not continue, and recovers lost ones once beats are steady', {
  skip: withoutPostgres,
}, async (t) => {
  const { queue, waiting, stopped, recovered, listeners, looked, defect, state } = setUp(
    await databaseOfRuns(t),
    4,
  );
  queue.start();
  waiting.push(...Object.keys(RUNS).filter((id) => id.startsWith('here')));
  listeners.get('queue')!();
  while (waiting.length > 0) await new Promise(setImmediate);
  listeners.get('job')!();
  await looked;
  await new Promise(setImmediate);
  assert.deepEqual(stopped.toSorted(), ['here cancelling', 'here moved']);
  assert.deepEqual(recovered, []);
  state.isSteady = true;
  listeners.get('beat')!();
  assert.equal(await defect, 'none: Error: damaged');
  // The rows of the stopped jobs have not changed, as if their outcomes could not be stored.
  assert.deepEqual(recovered.toSorted(), ['here cancelling 2', 'of the dead 2', 'own, not here 2']);
  await queue.close();
  assert.equal(stopped.length, 4);
});

test('a process without slots leaves lost runs to those that can continue them', () => {
  const { queue, listeners } = setUp({} as Kysely<Database>, 0);
  queue.start();
  assert.deepEqual([...listeners.keys()], []);
});
