/** Notices through PgBouncer in transaction mode, where LISTEN receives nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAgreement } from '../../../../src/store/postgres/replicas/agreement.ts';
import { startPgBouncer, withoutPgBouncer } from '../../../support/servers/pgbouncer.ts';
import { execute, withoutPostgres } from '../../../support/servers/postgres.ts';
import { sharedDatabase } from '../blob-database.ts';
import { join, until } from '../join.ts';

test('polling takes over where notices do not arrive', {
  skip: withoutPostgres || withoutPgBouncer,
}, async (t) => {
  const direct = await sharedDatabase(t);
  const pooled = await startPgBouncer(t, direct);
  const [a, b] = [await join(t, direct), await join(t, pooled, { poolUrl: pooled })];
  await until(() => a.notices.mode() === 'listening');
  await until(() => b.messages.length > 0);
  assert.match(b.messages[0]!, /do not arrive, so it is polled; set DATABASE_DIRECT_URL/);
  assert.equal(b.notices.mode(), 'polling');

  const received = new Set<string>();
  b.notices.on('event', (jobId) => received.add(jobId));
  b.notices.follow('job_1');
  await execute(
    direct,
    `insert into atelier.jobs (id, status, request, created_at, attempts, progress, event_count)
    values ('job_1', 'queued', '{}', '2026-11-26T00:00:00.000Z', 0, '{}', 0)`,
  );
  const lags: number[] = [];
  for (let event = 1; event <= 10; event++) {
    received.clear();
    await execute(direct, 'update atelier.jobs set event_count = event_count + 1');
    const startedAt = performance.now();
    await until(() => received.has('job_1'));
    lags.push(performance.now() - startedAt);
  }
  t.diagnostic(`polled within ${Math.max(...lags).toFixed()} ms`);

  let changes = 0;
  b.notices.on('models', () => changes++);
  await execute(direct, `update atelier.changes set number = number + 1 where kind = 'models'`);
  await createAgreement(a.session, a.replicas).reach();
  assert.ok(changes > 0);
  assert.equal(b.messages.length, 1, 'logged once');
});

test('logs once that notices do not arrive', { skip: withoutPostgres }, async (t) => {
  // Notices of another database of the same server do not reach the session.
  const { notices, messages } = await join(t, await sharedDatabase(t), { poolUrl: await sharedDatabase(t) });
  const looked = Promise.withResolvers<void>();
  notices.onGap(looked.resolve);
  await looked.promise;
  assert.equal(notices.mode(), 'polling');
  assert.equal(messages.length, 1, messages.join());
  assert.match(messages[0]!, /do not arrive, so it is polled; set DATABASE_DIRECT_URL/);
});

test('agreement waits for a process that hangs until it counts as dead, but not for a dead one', {
  skip: withoutPostgres,
}, async (t) => {
  const url = await sharedDatabase(t);
  const { session, replicas } = await join(t, url);
  await until(replicas.isSteady);
  const insert = (id: string, age: string) =>
    `insert into atelier.replicas values ('${id}', 'all', 1, 0, '', 0, -1, now() - interval '${age}')`;
  await execute(url, insert('dead', '3 s'), insert('hanging', '1 s'));
  const agreement = createAgreement(session, replicas);
  await agreement.reach();
  const isOld = `select now() - beat_at > interval '2 s' as old from atelier.replicas where id = 'hanging'`;
  assert.deepEqual(await session.query(isOld), [{ old: true }]);
  const startedAt = performance.now();
  await agreement.reach();
  t.diagnostic(`${(performance.now() - startedAt).toFixed()} ms beside dead processes`);
});
