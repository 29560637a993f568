import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { CompiledQuery } from 'kysely';
import { selectQueued } from '../../../src/store/runs/queue-order.ts';
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
