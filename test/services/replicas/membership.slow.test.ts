/** Names of models on replicas: moves, a hanging replica, and a database outage. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { until } from '../../store/postgres/join.ts';
import { temporaryDatabase, withoutPostgres } from '../../support/servers/postgres.ts';
import { startPostgres } from '../../support/servers/postgres-server.ts';
import { startTcpProxy } from '../../support/servers/tcp-proxy.ts';
import { addCleanup } from '../../support/start-service.ts';
import { publishVersion, startReplica } from './replicas.ts';

const options = { skip: withoutPostgres };

test(
  'after the response to each of 1,000 moves, the other replica uses the new version',
  options,
  async (t) => {
    const url = await temporaryDatabase(t);
    const [a, b] = [await startReplica(t, url), await startReplica(t, url)];
    await until(() => [a, b].every(({ store }) => store.notices.mode() === 'listening'));
    await publishVersion(a, 'digits');
    await publishVersion(a, 'digits');
    let isMoving = true;
    let loads = 0;
    // Reads all the time, so a name could be outdated.
    const reading = (async () => {
      for (; isMoving; loads++) {
        await b.models.load('digits');
        await wait(1);
      }
    })();
    let outdated = 0;
    const times: number[] = [];
    for (let move = 0; move < 1000; move++) {
      const version = 1 + (move % 2);
      const startedAt = performance.now();
      await a.registry.moveAlias('digits', 'champion', version, 'me');
      times.push(performance.now() - startedAt);
      const { reference } = await b.models.load('digits', 'champion');
      if (reference.version !== version) outdated += 1;
    }
    isMoving = false;
    await reading;
    assert.equal(outdated, 0);
    times.sort((x, y) => x - y);
    t.diagnostic(
      `a move: ${times[500]!.toFixed(1)} ms median, ${times[990]!.toFixed(1)} ms p99; ${loads} concurrent loads`,
    );
  },
);

test('a replica that hung resolves names again before it uses them', options, async (t) => {
  const url = await temporaryDatabase(t);
  const a = await startReplica(t, url);
  await publishVersion(a, 'digits');
  await publishVersion(a, 'digits');
  const child = fork(join(import.meta.dirname, '../children/replica.ts'), [url]);
  addCleanup(t, async () => {
    child.kill('SIGKILL');
  });
  const [id] = await once(child, 'message');
  const ask = async () => {
    child.send('digits');
    return (await once(child, 'message'))[0];
  };
  for (let round = 0; round < 5; round++) {
    const version = 1 + (round % 2);
    await until(() => a.store.replicas!.live().some((replica) => replica.id === id));
    await ask();
    child.kill('SIGSTOP');
    const startedAt = performance.now();
    await a.registry.moveAlias('digits', 'champion', version, 'me');
    t.diagnostic(`moved beside a stopped replica in ${Math.round(performance.now() - startedAt)} ms`);
    child.kill('SIGCONT');
    assert.equal(await ask(), version, `round ${round}`);
  }
});

test('names keep their meaning while the database is away', options, async (t) => {
  const server = await startPostgres();
  addCleanup(t, server.remove);
  const [a, b] = [await startReplica(t, server.url), await startReplica(t, server.url)];
  await publishVersion(a, 'digits');
  await publishVersion(a, 'digits');
  await publishVersion(a, 'unloaded');
  assert.equal((await b.models.load('digits')).reference.version, 1);
  await server.kill();
  let loads = 0;
  let slowest = 0;
  // Longer than the time for which the replica trusts its names.
  for (const endsAt = performance.now() + 5000; performance.now() < endsAt; loads++) {
    const startedAt = performance.now();
    assert.equal((await b.models.load('digits')).reference.version, 1);
    slowest = Math.max(slowest, performance.now() - startedAt);
    await wait(5);
  }
  t.diagnostic(`${loads} loads without the database, ${slowest.toFixed(1)} ms at most`);
  await assert.rejects(async () => b.models.load('unloaded'), { code: 'storage-unavailable' });
  await server.restart();
  await until(() => a.store.agreement.isTrusted());
  await a.registry.moveAlias('digits', 'champion', 2, 'me');
  assert.equal((await b.models.load('digits')).reference.version, 2);
});

test('a replica whose packets are lost goes on with the models in memory', options, async (t) => {
  const url = await temporaryDatabase(t);
  const proxy = await startTcpProxy(t, url);
  const [a, b] = [await startReplica(t, url), await startReplica(t, proxy.through(url))];
  await publishVersion(a, 'digits');
  await publishVersion(a, 'digits');
  await b.models.load('digits');
  proxy.drop();
  let slowest = 0;
  for (const endsAt = performance.now() + 6000; performance.now() < endsAt; ) {
    const startedAt = performance.now();
    assert.equal((await b.models.load('digits')).reference.version, 1);
    slowest = Math.max(slowest, performance.now() - startedAt);
    await wait(5);
  }
  t.diagnostic(`${slowest.toFixed()} ms at most`);
  const startedAt = performance.now();
  await a.registry.moveAlias('digits', 'champion', 2, 'me');
  t.diagnostic(`moved beside a dead replica in ${(performance.now() - startedAt).toFixed()} ms`);
  proxy.heal();
  await until(() => b.store.agreement.isTrusted());
  assert.equal((await b.models.load('digits')).reference.version, 2);
});
