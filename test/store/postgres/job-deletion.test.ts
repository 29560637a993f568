import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execute, withoutPostgres } from '../../support/servers/postgres.ts';
import { sharedDatabase } from './blob-database.ts';
import { join, until } from './join.ts';

test('other processes are notified of a deleted job, its events and its model', {
  skip: withoutPostgres,
}, async (t) => {
  const url = await sharedDatabase(t);
  const { notices } = await join(t, url);
  await until(() => notices.mode() === 'listening');
  await execute(
    url,
    `insert into atelier.jobs (id, status, request, created_at, attempts, progress, event_count)
    values ('job_1', 'cancelled', '{}', '2026-11-26T00:00:00.000Z', 0, '{}', 0)`,
  );
  const received: string[] = [];
  notices.on('event', (jobId) => received.push(`event ${jobId}`));
  notices.on('models', (subject) => received.push(`models ${subject}`));
  await execute(url, 'delete from atelier.jobs');
  await until(() => received.length >= 2);
  assert.deepEqual(received, ['event job_1', 'models job_1']);
});
