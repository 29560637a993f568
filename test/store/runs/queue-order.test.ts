import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { CompiledQuery } from 'kysely';
import { selectQueued } from '../../../src/store/runs/queue-order.ts';
import { openDatabase } from '../../../src/store/sqlite/database.ts';
import { temporaryDirectory } from '../fixtures.ts';

test('the next job of a long queue is found without sorting the queue', async (t) => {
  const db = await openDatabase(join(await temporaryDirectory(t), 'atelier.sqlite'));
  t.after(() => db.destroy());
  const query = selectQueued(db).limit(1).compile();
  const { rows } = await db.executeQuery<{ detail: string }>(
    CompiledQuery.raw(`explain query plan ${query.sql}`, [...query.parameters]),
  );
  assert.deepEqual(
    rows.map(({ detail }) => detail),
    ['SEARCH jobs USING COVERING INDEX jobs_in_queue (status=?)'],
  );
});
