import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { readConfig } from '../../src/config/read.ts';
import { openState } from '../../src/process/state.ts';
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
