import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { CompiledQuery, sql } from 'kysely';
import { newJobRow } from '../../../src/store/jobs/rows.ts';
import { countAhead, selectQueued } from '../../../src/store/runs/queue-order.ts';
import { openDatabase } from '../../../src/store/sqlite/database.ts';
import { request, temporaryDirectory, temporaryStore, untouched } from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

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

storeTest('the next job after another has a lower rank, or the same and was created later', async (t) => {
  const store = await temporaryStore(t);
  const create = async (priority: number) =>
    (await store.jobs.create({ ...request(), priority }, untouched)).id;
  const [low, first, high, second] = [await create(-1), await create(0), await create(1), await create(0)];
  const order: string[] = [];
  for (let job = await store.jobs.nextQueued(); job; job = await store.jobs.nextQueued(job))
    order.push(job.id);
  assert.deepEqual(order, [high, first, second, low]);
});

test('a new job waits for queued ones of its priority or a higher one, but not for jobs of searches at its own', async (t) => {
  const db = await openDatabase(join(await temporaryDirectory(t), 'atelier.sqlite'));
  t.after(() => db.destroy());
  for (const [n, priority] of [-1, 0, 1, 2].entries()) {
    const created = '2026-11-26T00:00:00.000Z';
    const resolved = { ...request(), priority };
    const row = newJobRow(`job_${n}`, created, resolved, untouched, null, null, null, null);
    await db.insertInto('jobs').values(row).execute();
    const ofSearch = { ...row, id: `job_${n}_of_search`, search_id: 'sea_1' };
    await sql`pragma foreign_keys = off`.execute(db);
    await db.insertInto('jobs').values(ofSearch).execute();
  }
  const ahead = [-2, -1, 0, 1, 2, 3].map((priority) => countAhead(db, priority));
  // Jobs of searches of a higher priority come first, too.
  assert.deepEqual(await Promise.all(ahead), [8, 7, 5, 3, 1, 0]);
});
