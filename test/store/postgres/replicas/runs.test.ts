import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRuns } from '../../../../src/store/postgres/replicas/runs.ts';
import { execute, withoutPostgres } from '../../../support/servers/postgres.ts';
import { blobDatabase } from '../blob-database.ts';

test('reads the active runs and those of given jobs, and finds runners that no longer live', {
  skip: withoutPostgres,
}, async (t) => {
  const { db, url } = await blobDatabase(t);
  const replica = (id: string, age: string) =>
    `insert into atelier.replicas values ('${id}', 'all', 1, 0, '', 0, 0, now() - interval '${age}')`;
  const job = (id: string, status: string, runner: string | null) =>
    `insert into atelier.jobs (id, status, request, created_at, attempts, progress, event_count, run, runner)
    values ('${id}', '${status}', '{}', '2026-11-26T00:00:00.000Z', 1, '{}', 0, 2, ${runner && `'${runner}'`})`;
  await execute(
    url,
    replica('living', '0 s'),
    replica('dead', '3.1 s'),
    job('job_1', 'running', 'living'),
    job('job_2', 'cancelling', 'dead'),
    job('job_3', 'pausing', null),
    job('job_4', 'queued', 'living'),
    job('job_5', 'succeeded', 'gone'),
  );
  const read = async (...ids: string[]) =>
    (await readRuns(db, 'jobs', ids)).toSorted((x, y) => (x.id < y.id ? -1 : 1));
  const active = [
    { id: 'job_1', run: 2, runner: 'living', status: 'running', isLost: false },
    { id: 'job_2', run: 2, runner: 'dead', status: 'cancelling', isLost: true },
    { id: 'job_3', run: 2, runner: null, status: 'pausing', isLost: true },
  ];
  assert.deepEqual(await read(), active);
  const ended = { id: 'job_5', run: 2, runner: 'gone', status: 'succeeded', isLost: true };
  assert.deepEqual(await read('job_1', 'job_5'), [...active, ended]);
  assert.deepEqual(await readRuns(db, 'prediction_jobs', ['job_1']), []);
});
