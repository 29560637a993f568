import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Fastify, { type FastifyInstance } from 'fastify';
import { registerErrorHandler } from '../../../../src/http/errors/error-handler.ts';
import { createRateLimit } from '../../../../src/http/hooks/access/rate-limit.ts';
import { connectPostgres } from '../../../../src/store/postgres/connect.ts';
import { migratePostgres } from '../../../../src/store/postgres/migrate.ts';
import { createRateLeases, type RateLeases } from '../../../../src/store/postgres/replicas/rate-leases.ts';
import { execute, temporaryDatabase, withoutPostgres } from '../../../support/servers/postgres.ts';
import { addCleanup } from '../../../support/start-service.ts';

interface Counting {
  readonly leases: RateLeases;
  /** Number of leases so far. */
  readonly leased: () => number;
}

async function openLeases(t: TestContext, url: string): Promise<Counting> {
  const db = await connectPostgres({ url });
  addCleanup(t, () => db.destroy());
  const leases = createRateLeases(db);
  let count = 0;
  return {
    leased: () => count,
    leases: {
      ...leases,
      lease(...parameters) {
        count += 1;
        return leases.lease(...parameters);
      },
    },
  };
}

async function startReplica(
  t: TestContext,
  limit: number,
  replicas: number,
  leases: RateLeases,
): Promise<FastifyInstance> {
  const app = Fastify();
  registerErrorHandler(app, 1024);
  app.decorateRequest('caller', 'anonymous');
  const limitRate = await createRateLimit(app, limit, { leases, replicas: () => replicas });
  app.addHook('onRequest', async function (request, reply) {
    request.caller = String(request.headers['x-caller'] ?? 'reader');
    await limitRate.call(this, request, reply);
  });
  app.get('/', async () => 'served');
  addCleanup(t, () => app.close());
  return app;
}

async function createDatabase(t: TestContext): Promise<string> {
  const url = await temporaryDatabase(t);
  await migratePostgres(url);
  return url;
}

const send = async (app: FastifyInstance, caller = 'reader') => {
  const { statusCode, headers } = await app.inject({ url: '/', headers: { 'x-caller': caller } });
  return { statusCode, remaining: headers['ratelimit-remaining'], retryAfter: headers['retry-after'] };
};
const isServed = ({ statusCode }: { statusCode: number }) => statusCode === 200;

test('three replicas together serve exactly the limit of a key', {
  skip: withoutPostgres,
}, async (t) => {
  const url = await createDatabase(t);
  const counting = await Promise.all(Array.from({ length: 3 }, () => openLeases(t, url)));
  const replicas = await Promise.all(counting.map(({ leases }) => startReplica(t, 600, 3, leases)));
  const countLeases = () => counting.reduce((sum, { leased }) => sum + leased(), 0);
  // Of 20 requests, how many each replica gets.
  for (const [caller, spread] of [
    ['even', [7, 7, 6]],
    ['uneven', [18, 1, 1]],
  ] as const) {
    const targets = spread.flatMap((count, n) => Array.from({ length: count }, () => replicas[n]!));
    const before = countLeases();
    const responses = [];
    for (let round = 0; round < 40; round++) {
      const sent = Array.from({ length: 50 }, (_, each) =>
        send(targets[(7 * (50 * round + each)) % targets.length]!, caller),
      );
      responses.push(...(await Promise.all(sent)));
    }
    const served = responses.filter(isServed).length;
    const leases = countLeases() - before;
    t.diagnostic(`${caller}: ${served} of ${responses.length} requests served with ${leases} leases`);
    assert.ok(served >= 570 && served <= 600, `${served} served`);
    assert.ok(leases <= 100, `${leases} leases`);
    for (const { statusCode, remaining, retryAfter } of responses) {
      if (statusCode === 200) continue;
      assert.deepEqual([statusCode, remaining], [429, '0']);
      assert.ok(Number(retryAfter) >= 1 && Number(retryAfter) <= 60, retryAfter);
    }
  }
  assert.ok(isServed(await send(replicas[0]!, 'another')), 'the limit applies to each key');

  await execute(url, "update atelier.limits set window_start = window_start - interval '1 minute'");
  const restarted = await startReplica(t, 600, 3, counting[0]!.leases);
  assert.equal((await send(restarted, 'even')).remaining, '599', 'a new window has begun');
  await counting[0]!.leases.removeExpired();
  await execute(url, "do 'begin assert (select count(*) from atelier.limits) = 1; end'");
});

test('concurrent requests of one key share leases', { skip: withoutPostgres }, async (t) => {
  const { leases, leased } = await openLeases(t, await createDatabase(t));
  const app = await startReplica(t, 100, 1, leases);
  const responses = await Promise.all(Array.from({ length: 50 }, () => send(app)));
  assert.ok(responses.every(isServed));
  assert.equal(leased(), 2, 'the first request leases a call, and the others wait for the next lease');
  assert.deepEqual(
    responses.map(({ remaining }) => Number(remaining)).toSorted((a, b) => b - a),
    Array.from({ length: 50 }, (_, served) => 99 - served),
  );
});

test('without the database, each replica serves its part of the limit', {
  skip: withoutPostgres,
}, async (t) => {
  const url = await createDatabase(t);
  const { leases, leased } = await openLeases(t, url);
  const app = await startReplica(t, 30, 3, leases);
  for (let sent = 0; sent < 5; sent++) assert.ok(isServed(await send(app)));
  await execute(url, 'drop table atelier.limits');
  const responses = [];
  for (let sent = 0; sent < 10; sent++) responses.push(await send(app), await send(app, 'another'));
  assert.equal(responses.filter(isServed).length, 5 + 10);
  const failed = leased();
  await send(app, 'a third');
  assert.equal(leased(), failed, 'the database is not asked again at once');
});
