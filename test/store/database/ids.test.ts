import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { decodeTime, encodeTime } from 'ulid';
import { nextId } from '../../../src/store/database/ids.ts';
import { newJobRow } from '../../../src/store/jobs/rows.ts';
import { openDatabase } from '../../../src/store/sqlite/database.ts';
import { request, temporaryDirectory, untouched } from '../fixtures.ts';

const PAST = '2020-01-31T12:00:00.000Z';
const timeOf = (id: string) => decodeTime(id.slice('job_'.length));

async function openJobs(t: TestContext) {
  const db = await openDatabase(join(await temporaryDirectory(t), 'atelier.sqlite'));
  t.after(() => db.destroy());
  return {
    next: (createdAt: string) => db.transaction().execute((trx) => nextId(trx, 'jobs', createdAt)),
    insert: (id: string) =>
      db
        .insertInto('jobs')
        .values(newJobRow(id, PAST, request(), untouched, null, null, null, null))
        .execute(),
  };
}

test('an id has the time at which its job was created, but none in the future', async (t) => {
  const { next } = await openJobs(t);
  assert.match(await next(PAST), /^job_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.equal(timeOf(await next(PAST)), Date.parse(PAST));
  const before = Date.now();
  const ahead = timeOf(await next('2999-01-01T00:00:00.000Z'));
  assert.ok(ahead >= before && ahead <= Date.now(), `${ahead}`);
});

test('ids ascend within a millisecond, and if the clock was set back', async (t) => {
  const { insert, next } = await openJobs(t);
  const last = `job_${encodeTime(Date.parse(PAST), 10)}ZZZZZZZZZZZZZZ`;
  await insert(`${last}Z8`);
  assert.equal(await next(PAST), `${last}Z9`);
  await insert(`${last}ZC`);
  const earlier = await next('2020-01-31T11:00:00.000Z');
  assert.equal(timeOf(earlier), Date.parse(PAST) + 1);
  assert.equal(timeOf(await next('2020-01-31T13:00:00.000Z')), Date.parse('2020-01-31T13:00:00.000Z'));
});
