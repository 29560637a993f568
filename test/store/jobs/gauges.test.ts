import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeTime } from 'ulid';
import { createReadJobGauges } from '../../../src/store/jobs/gauges.ts';
import { connectPostgres } from '../../../src/store/postgres/connect.ts';
import { execute, withoutPostgres } from '../../support/servers/postgres.ts';
import { newJob, temporaryStore } from '../fixtures.ts';
import { sharedDatabase } from '../postgres/blob-database.ts';
import { storeTest } from '../store-test.ts';

storeTest('counts unfinished jobs, with the oldest queued one', async (t) => {
  const store = await temporaryStore(t);
  assert.deepEqual(await store.readJobGauges(), {
    counts: new Map(),
    oldestQueuedAt: null,
    imagesPerSecond: 0,
    predictions: new Map(),
    pendingWebhooks: 0,
  });
  await newJob(store, 'running');
  const oldest = await newJob(store);
  await newJob(store);
  await store.jobs.requestCancel(await newJob(store));
  assert.deepEqual(await store.readJobGauges(), {
    counts: new Map([
      ['queued', 2],
      ['running', 1],
    ]),
    oldestQueuedAt: decodeTime(oldest.replace('job_', '')),
    imagesPerSecond: 0,
    predictions: new Map(),
    pendingWebhooks: 0,
  });
});

test('sums the speed of running jobs, on PostgreSQL too', { skip: withoutPostgres }, async (t) => {
  const url = await sharedDatabase(t);
  const db = await connectPostgres({ url });
  t.after(() => db.destroy());
  const jobs = [
    '{"imagesPerSecond":1000.5}',
    '{"imagesPerSecond":250}',
    '{"imagesPerSecond":null}',
    '{damaged',
  ];
  const rows = jobs.map((progress, n) => `('job_${n}', 'running', '{}', '', 1, '${progress}', 1)`);
  await execute(
    url,
    `insert into atelier.jobs (id, status, request, created_at, attempts, progress, event_count) values ${rows.join()}`,
  );
  assert.deepEqual(await createReadJobGauges(db)(), {
    counts: new Map([['running', 4]]),
    oldestQueuedAt: null,
    imagesPerSecond: 1250.5,
    predictions: new Map(),
    pendingWebhooks: 0,
  });
});
