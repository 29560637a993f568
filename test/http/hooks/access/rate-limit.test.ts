import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import { createRateLimit } from '../../../../src/http/hooks/access/rate-limit.ts';

test('a client has a number of requests per minute, and learns how many are left', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 0 });
  const app = Fastify();
  app.decorateRequest('caller', 'anonymous');
  app.addHook('onRequest', async (request) => {
    request.caller = String(request.headers['x-caller'] ?? 'anonymous');
  });
  const limit = await createRateLimit(app, 2);
  app.get('/', { onRequest: limit }, async () => 'done');
  app.get('/free', async () => 'done');
  app.setErrorHandler((error: Error & { retryAfterSeconds?: number }, _request, reply) =>
    reply.code(429).send({ message: error.message, seconds: error.retryAfterSeconds }),
  );
  const get = (caller?: string) =>
    app.inject({ url: '/', headers: caller === undefined ? {} : { 'x-caller': caller } });
  const left = async (caller?: string) => (await get(caller)).headers['ratelimit-remaining'];
  assert.deepEqual([await left(), await left(), await left('team')], ['1', '0', '1']);
  t.mock.timers.setTime(500);
  const { headers, body } = await get();
  assert.deepEqual([headers['ratelimit-limit'], headers['ratelimit-reset']], ['2', '60']);
  assert.deepEqual(JSON.parse(body), {
    message: 'The rate limit of 2 requests per minute for your address is exceeded. Try again in 60 s.',
    seconds: 60,
  });
  await get('team');
  assert.match((await get('team')).json().message, /for the key team is exceeded\./);
  for (let n = 0; n < 3; n++) assert.equal((await app.inject('/free')).statusCode, 200);
  t.mock.timers.setTime(60_000);
  assert.equal(await left(), '1');
});

test('a replica without the database counts its part of the limit, and logs why', async () => {
  const lines: string[] = [];
  const app = Fastify({
    logger: { level: 'warn', stream: { write: (line: string) => void lines.push(line) } },
  });
  app.decorateRequest('caller', 'anonymous');
  const lease = async () => {
    throw new Error('refused');
  };
  const limit = await createRateLimit(app, 5, { leases: { lease }, replicas: () => 2 });
  app.get('/', { onRequest: limit }, async () => 'done');
  app.setErrorHandler((_error, _request, reply) => reply.code(429).send());
  const statuses: number[] = [];
  for (let calls = 0; calls < 3; calls++) statuses.push((await app.inject('/')).statusCode);
  assert.deepEqual(statuses, [200, 200, 429]);
  assert.equal(lines.length, 1);
  const { msg, err } = JSON.parse(lines[0]!);
  assert.equal(err.message, 'refused');
  assert.equal(msg, 'the database is unavailable: this replica counts its part of the rate limit');
});
