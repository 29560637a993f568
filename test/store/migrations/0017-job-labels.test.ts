import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { request, temporaryDirectory, untouched } from '../fixtures.ts';
import { type Insert, writeOldDatabase } from '../sqlite/old-database.ts';

const ID = 'job_01M880FEH52JANXJG42H3VZFKH';
const DAMAGED = ID.replace('01M8', '01M7');
const LATE = ID.replace('01M8', '01M9');

const job = (id: string, text: string) => ({
  id,
  status: 'paused',
  created_at: '2026-11-25T00:07:51.589Z',
  attempts: 1,
  progress: JSON.stringify(untouched),
  event_count: 0,
  unclean_ends: 0,
  request: text,
});
const shoes = JSON.stringify({ ...request('shoes'), metadata: { team: 'vision' } });

test('jobs of before the migration are found by their labels, and those of an earlier release that still runs', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'atelier.sqlite');
  await writeOldDatabase(file, '0016-transfers', (insert: Insert) => {
    insert('jobs', job(ID, shoes));
    insert('jobs', job(DAMAGED, '{damaged'));
  });
  const find = async (query: object) => {
    const store = await openStore(directory);
    const { data } = await store.jobs.list({ ...query, limit: 10 });
    await store.close();
    return data.map(({ id }) => id);
  };
  assert.deepEqual(await find({ modelName: 'shoes', metadata: { team: 'vision' } }), [ID]);
  const raw = new DatabaseSync(file);
  const late = job(LATE, shoes);
  const columns = Object.keys(late);
  raw
    .prepare(`insert into jobs (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`)
    .run(...Object.values(late));
  raw.close();
  assert.deepEqual(await find({ metadata: { team: 'vision' } }), [LATE, ID]);
  assert.deepEqual(await find({ modelName: 'bags' }), []);
});
