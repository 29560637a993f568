import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { failure, request, temporaryDirectory, untouched } from '../fixtures.ts';
import { writeOldDatabase } from '../sqlite/old-database.ts';

const ID = 'job_01M880FEH52JANXJG42H3VZFKH';
const AT = '2026-11-25T00:07:51.589Z';

test('the warm start of a job from before the migration still keeps its version from deletion', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeOldDatabase(join(directory, 'atelier.sqlite'), '0008-imports', (insert) => {
    const job = {
      status: 'paused',
      created_at: AT,
      attempts: 1,
      progress: JSON.stringify(untouched),
      event_count: 0,
    };
    insert('jobs', { ...job, id: ID.replace('01M8', '01M7'), request: '{damaged' });
    insert('jobs', {
      ...job,
      id: ID,
      request: JSON.stringify({ ...request(), warmStart: { name: 'old', version: 1 } }),
    });
    insert('models', { name: 'old', created_at: AT, last_version: 1, alias_moves: 0 });
    insert('model_versions', {
      name: 'old',
      version: 1,
      created_at: AT,
      layer_sizes: '[784,12,10]',
      activation: 'relu',
      fused: 0,
      class_names: '["T-shirt/top","Trouser"]',
      digest: `sha256:${'a'.repeat(64)}`,
    });
  });
  const store = await openStore(directory);
  t.after(() => store.close());
  const job = await store.jobs.get(ID);
  assert.deepEqual([job?.waiting, job?.pauseReason], [null, null]);
  assert.equal(await store.jobs.uncleanEnds(ID), 0);
  await assert.rejects(store.models.remove('old'), failure('version-in-use', ID));
  await store.jobs.requestCancel(ID);
  await store.models.remove('old');
});
