import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { migrateBoss, TRAINING } from '../../src/queue/pg-boss.ts';
import { jobToTicketId } from '../../src/queue/tickets.ts';
import { migratePostgres } from '../../src/store/postgres/migrate.ts';
import { until } from '../store/postgres/join.ts';
import { withoutPostgres } from '../support/servers/postgres.ts';
import { startPostgres } from '../support/servers/postgres-server.ts';
import { startTcpProxy } from '../support/servers/tcp-proxy.ts';
import { addCleanup } from '../support/start-service.ts';
import { queueDatabase, startTwo } from './shared.ts';

const options = { skip: withoutPostgres };

test('the job of a lost process runs elsewhere within 6 seconds, before later ones', options, async (t) => {
  const url = await queueDatabase(t);
  const proxies = { a: await startTcpProxy(t, url), b: await startTcpProxy(t, url) };
  const [ofA, ofB] = [{ url: proxies.a.through(url) }, { url: proxies.b.through(url) }];
  const { a, b, create, log, started, untilStarted } = await startTwo(t, url, ofA, ofB);
  const [lost, other, later] = (await create(3)) as [string, string, string];
  const [name, living] = (await untilStarted(lost)) === a ? (['a', b] as const) : (['b', a] as const);
  await untilStarted(other);
  living.end(other);
  await untilStarted(later);
  await until(() => living.replicas.isSteady());
  const lostAt = performance.now();
  proxies[name].drop();
  while ((await living.store.jobs.get(lost))?.status !== 'queued') await wait(10);
  const last = await living.create();
  living.end(later);
  assert.equal(await untilStarted(lost, log.lines.length - 1), living);
  const seconds = (performance.now() - lostAt) / 1000;
  t.diagnostic(`${seconds.toFixed(2)} s`);
  // The heartbeats of pg-boss alone would take at least 10 s.
  assert.ok(seconds < 10);
  living.end(lost);
  await untilStarted(last);
  assert.deepEqual(started().slice(-3), [later, lost, last]);
  assert.equal((await living.store.jobs.get(lost))?.attempts, 1);
  proxies[name].heal();
  // The lost process finds out, and can write nothing more.
  assert.match(await log.until(`${name} ${lost}`), /is not the current one/);
});

test('lost tickets and abandoned claims are replaced', options, async (t) => {
  const { a, create, untilStarted } = await startTwo(t, await queueDatabase(t));
  const { queue } = a.boss;
  const [first, second, ...waiting] = (await create(6)) as [string, string, ...string[]];
  const processes = [await untilStarted(first), await untilStarted(second)];
  const [removed, cancelled, completed, abandoned] = waiting.map(jobToTicketId) as [
    string,
    string,
    string,
    string,
  ];
  await queue.deleteJob(TRAINING, removed);
  await queue.cancel(TRAINING, cancelled);
  await queue.complete(TRAINING, completed, null, { includeQueued: true });
  const [claim] = await queue.fetch(TRAINING);
  assert.equal(claim?.id, abandoned);
  processes[0]!.end(first);
  processes[1]!.end(second);
  await Promise.all(waiting.map(async (id) => (await untilStarted(id)).end(id)));
});

test('a run that its own process does not work on is recovered', options, async (t) => {
  const { a, create, untilStarted } = await startTwo(t, await queueDatabase(t), {}, { slots: 0 });
  const [first, second] = (await create(2)) as [string, string];
  await untilStarted(first);
  // As if the reply to the start had been lost.
  await a.store.jobs.start(second, { runner: a.replicas.id });
  while ((await a.store.jobs.get(second))?.status !== 'queued') await wait(10);
  a.end(first);
  await untilStarted(second);
});

async function ownServer(t: TestContext) {
  const server = await startPostgres(['synchronous_commit=on']);
  addCleanup(t, server.remove);
  await migratePostgres(server.url);
  await migrateBoss(server.url);
  return server;
}

test('running jobs and the queue survive a loss of the database', options, async (t) => {
  const server = await ownServer(t);
  const { a, b, create, log, untilStarted } = await startTwo(t, server.url);
  const [first, second, third] = (await create(3)) as [string, string, string];
  const processes = [await untilStarted(first), await untilStarted(second)] as const;
  await server.kill();
  await until(() => !a.replicas.isSteady() && !b.replicas.isSteady());
  await server.restart();
  await until(() => a.replicas.isSteady() && b.replicas.isSteady());
  // Both queues have looked at the jobs, and found that nothing was lost.
  for (const { replicas } of [a, b]) await new Promise<void>((resolve) => replicas.onBeat(() => resolve()));
  assert.deepEqual(
    (await a.store.jobs.active()).map(({ id, run }) => ({ id, run })),
    [first, second].map((id) => ({ id, run: 1 })),
  );
  await a.store.jobs.requestCancel(first);
  await log.until(`leaves ${first} cancelled`);
  assert.equal(await untilStarted(third), processes[0]);
});
