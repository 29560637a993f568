import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openStore } from '../../../src/store/sqlite/open-store.ts';
import { temporaryDirectory } from '../fixtures.ts';

test('the next job of a long queue is found without sorting the queue', async (t) => {
  const directory = await temporaryDirectory(t);
  await (await openStore(directory)).close();
  const raw = new DatabaseSync(join(directory, 'atelier.sqlite'), { readOnly: true });
  const plan = raw
    .prepare(
      "explain query plan select id, priority from jobs where status = 'queued' order by priority desc, id limit 1",
    )
    .all();
  raw.close();
  assert.deepEqual(
    plan.map(({ detail }) => detail),
    ['SEARCH jobs USING COVERING INDEX jobs_by_rank (status=?)'],
  );
});
