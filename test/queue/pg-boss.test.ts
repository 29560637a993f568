import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PgBoss } from 'pg-boss';
import { startBoss } from '../../src/queue/pg-boss.ts';
import { fakeDatabase } from '../store/postgres/fake-database.ts';

test('a queue that cannot start is stopped at once', async (t) => {
  const db = fakeDatabase();
  t.mock.method(PgBoss.prototype, 'start', async () => {
    throw new Error('the schema is missing');
  });
  const { mock } = t.mock.method(PgBoss.prototype, 'stop', async () => {});
  await assert.rejects(startBoss({ db, onError: assert.fail }), /the schema is missing/);
  assert.deepEqual(
    mock.calls.map((call) => call.arguments),
    [[{ graceful: false }]],
  );
});
