import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { newestTime } from '../../../src/store/database/newest-time.ts';
import { newJobRow } from '../../../src/store/jobs/rows.ts';
import { openDatabase } from '../../../src/store/sqlite/database.ts';
import { request, temporaryDirectory, untouched } from '../fixtures.ts';

test('the newest time is that of any row, or of the last event of what has not ended', async (t) => {
  const db = await openDatabase(join(await temporaryDirectory(t), 'atelier.sqlite'));
  t.after(() => db.destroy());
  const day = (n: number) => `2020-01-0${n}T00:00:00.000Z`;
  assert.equal(await newestTime(db), '');
  const insertModel = (name: string, at: string) =>
    db.insertInto('models').values({ name, created_at: at, last_version: 0, alias_moves: 0 }).execute();
  await insertModel('first', day(2));
  await insertModel('second', day(1));
  assert.equal(await newestTime(db), day(2));

  const insertJob = async (id: string, finishedAt: string | null, ...events: string[]) => {
    const row = newJobRow(id, day(1), request(), untouched, null, null, null, null);
    await db
      .insertInto('jobs')
      .values({ ...row, finished_at: finishedAt, event_count: events.length })
      .execute();
    for (const [n, at] of events.entries()) {
      await db
        .insertInto('events')
        .values({ job_id: id, id: n + 1, type: 'status', at, data: '{}' })
        .execute();
    }
  };
  await insertJob('job_1', null, day(1), day(3));
  assert.equal(await newestTime(db), day(3));
  // The last event of an ended job has the time of its end.
  await insertJob('job_2', day(4), day(1), day(9));
  assert.equal(await newestTime(db), day(4));
  await insertJob('job_3', null, 'later');
  assert.equal(await newestTime(db), day(4), 'a damaged time is left out');
});
