import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { request, temporaryDirectory, untouched } from '../fixtures.ts';
import { writeOldDatabase } from '../sqlite/old-database.ts';

const ID = 'job_01M880FEH52JANXJG42H3VZFKH';
const DAMAGED = ID.replace('01M8', '01M7');
const AT = '2026-11-25T00:07:51.589Z';

test('the checkpoints of an interrupted job keep the environment of its last run as their origin', async (t) => {
  const directory = await temporaryDirectory(t);
  const dataset = { id: 'fashion-mnist', digest: 'sha256:d' };
  const kernel = { name: 'simd-float32', digest: 'sha256:k' };
  await writeOldDatabase(join(directory, 'atelier.sqlite'), '0009-job-memory', (insert) => {
    for (const [id, circumstances] of [
      [ID, JSON.stringify({ dataset, kernel, fused: true })],
      [DAMAGED, '{damaged'],
    ] as const) {
      insert('jobs', {
        id,
        status: 'paused',
        created_at: AT,
        attempts: 1,
        progress: JSON.stringify(untouched),
        event_count: 0,
        unclean_ends: 0,
        request: JSON.stringify(request()),
        circumstances,
      });
      insert('checkpoints', {
        job_id: id,
        step: 7,
        epoch: 1,
        created_at: AT,
        bytes: 64,
        loss: null,
        digest: `sha256:${'a'.repeat(64)}`,
      });
    }
  });
  const store = await openStore(directory);
  t.after(() => store.close());
  assert.deepEqual(await store.jobs.origin(ID), { kernel, fused: true });
  assert.equal(await store.jobs.origin(DAMAGED), null);
  await store.jobs.resume(ID);
  const run = await store.jobs.start(ID, {
    detectEnvironment: () => ({ dataset, kernel: { ...kernel, digest: 'sha256:new' }, fused: true }),
  });
  assert.deepEqual([run?.run, run?.job.attempts], [1, 1]);
  const { data } = await store.events.list(ID, { limit: 10 });
  assert.equal(data.at(-1)?.data['code'], 'mixed-environments');
});
