import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import Fastify, { type InjectOptions } from 'fastify';
import { sendProblem } from '../../../src/http/errors/error-handler.ts';
import { shedLoad } from '../../../src/http/plugins/backpressure.ts';
import { assertProblem } from '../../start-service.ts';

const MAX_DELAY_MS = 5;
const headers = { 'content-type': 'text/plain' };

/** Requests that count as new work. */
const NEW: InjectOptions[] = [
  { method: 'POST', url: '/jobs' },
  { method: 'POST', url: '/predictions', headers, payload: 'x'.repeat(2 ** 19) },
  {
    method: 'POST',
    url: '/predictions',
    headers: { ...headers, 'transfer-encoding': 'chunked' },
    payload: 'x',
  },
];
const OTHER: InjectOptions[] = [
  { method: 'POST', url: '/predictions', headers, payload: 'x' },
  { method: 'POST', url: '/jobs/1/cancel' },
  { method: 'GET', url: '/jobs' },
];
const HEALTH: InjectOptions = { method: 'GET', url: '/health/live' };

async function serve(t: TestContext) {
  const app = Fastify();
  t.after(() => app.close());
  app.addHook('onRequest', async (request, reply) => void reply.header('x-request-id', request.id));
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, 2 ** 20));
  shedLoad(app, MAX_DELAY_MS, 50);
  const handler = async () => 'done';
  app.post('/jobs', handler);
  app.get('/jobs', handler);
  app.post('/jobs/:id/cancel', { config: { scope: 'train', sheddable: false } }, handler);
  app.post('/predictions', { config: { scope: 'predict', sheddable: 'large-body' } }, handler);
  app.get('/health/live', handler);
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app;
}

/** Blocks the event loop for one turn of the given length. */
async function turn(milliseconds: number): Promise<void> {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
  await setImmediate();
}

test('a delayed event loop rejects new work only', async (t) => {
  const app = await serve(t);
  for (const request of [...NEW, ...OTHER, HEALTH]) {
    assert.equal((await app.inject(request)).statusCode, 200);
  }
  while ((await app.inject(NEW[0]!)).statusCode === 200) await turn(MAX_DELAY_MS * 6);
  for (const request of NEW) {
    const refused = await app.inject(request);
    const problem = assertProblem(refused, 503, 'overloaded');
    assert.match(problem.detail, /is \d+ ms late/);
    assert.match(String(refused.headers['retry-after']), /^[1-9]\d*$/);
  }
  for (const request of [...OTHER, HEALTH]) assert.equal((await app.inject(request)).statusCode, 200);
});

test('accepts new work again when the delay ends', async (t) => {
  const app = await serve(t);
  while ((await app.inject(NEW[0]!)).statusCode === 200) await turn(MAX_DELAY_MS * 6);
  while ((await app.inject(NEW[0]!)).statusCode === 503) await setImmediate();
  assert.equal((await app.inject(NEW[0]!)).statusCode, 200);
});

test('a very late event loop rejects everything but health and metrics', async (t) => {
  const app = await serve(t);
  while ((await app.inject('/jobs')).statusCode === 200) await turn(MAX_DELAY_MS * 40);
  for (const request of [...NEW, ...OTHER]) assertProblem(await app.inject(request), 503, 'overloaded');
  assert.equal((await app.inject(HEALTH)).statusCode, 200);
});
