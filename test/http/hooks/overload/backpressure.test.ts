import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import Fastify, { type FastifyInstance, type InjectOptions } from 'fastify';
import { sendProblem } from '../../../../src/http/errors/error-handler.ts';
import {
  CRITICAL_FACTOR,
  deferLowPriority,
  LOW_PRIORITY_FRACTION,
  MAX_WAITING_READS,
  measureDelay,
  shedLoad,
} from '../../../../src/http/hooks/overload/backpressure.ts';
import { assertProblem } from '../../../support/start-service.ts';

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
const LIST: InjectOptions = { method: 'GET', url: '/lists' };
const PROBES = ['/', '/health/live', '/v2/health/ready', '/ping', '/health', '/metrics'].map(
  (url) => ({ method: 'GET', url }) as const,
);

/** @param delay of the event loop, because the real delay depends on other work of the machine */
async function serve(t: TestContext, delay: (app: FastifyInstance) => () => number) {
  const app = Fastify();
  t.after(() => app.close());
  app.addHook('onRequest', async (request, reply) => void reply.header('x-request-id', request.id));
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, 2 ** 20));
  shedLoad(app, MAX_DELAY_MS, delay(app));
  deferLowPriority(app);
  const handler = async () => 'done';
  app.get('/lists', { config: { scope: 'predict', priority: 'low' } }, handler);
  app.post('/jobs', handler);
  app.get('/jobs', handler);
  app.post('/jobs/:id/cancel', { config: { scope: 'train', sheddable: false } }, handler);
  app.post('/predictions', { config: { scope: 'predict', sheddable: 'large-body' } }, handler);
  for (const { url } of PROBES) app.get(url, handler);
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
  let delayMs = MAX_DELAY_MS * LOW_PRIORITY_FRACTION;
  const app = await serve(t, () => () => delayMs);
  for (const request of [...NEW, ...OTHER, LIST, ...PROBES]) {
    assert.equal((await app.inject(request)).statusCode, 200);
  }
  delayMs = MAX_DELAY_MS + 0.5;
  for (const request of NEW) {
    const refused = await app.inject(request);
    const problem = assertProblem(refused, 503, 'overloaded');
    assert.match(problem.detail, /is 6 ms late/);
    assert.equal(refused.headers['retry-after'], '1');
  }
  for (const request of [...OTHER, ...PROBES]) assert.equal((await app.inject(request)).statusCode, 200);
});

test('rejects new work when the event loop is late, and accepts it again when the delay ends', async (t) => {
  const app = await serve(t, (each) => measureDelay(each, 50));
  while ((await app.inject(NEW[0]!)).statusCode === 200) await turn(MAX_DELAY_MS * 6);
  while ((await app.inject(NEW[0]!)).statusCode === 503) await setImmediate();
});

test('rejects lists before new work, but not event streams', async (t) => {
  const app = await serve(t, () => () => MAX_DELAY_MS);
  const stream = { ...LIST, headers: { accept: 'text/event-stream' } };
  assertProblem(await app.inject(LIST), 503, 'overloaded');
  for (const request of [...NEW, ...OTHER, stream, ...PROBES])
    assert.equal((await app.inject(request)).statusCode, 200);
});

test('starts one list per turn of the event loop', async (t) => {
  const app = Fastify();
  t.after(() => app.close());
  deferLowPriority(app);
  let turns = 0;
  const counted: number[] = [];
  app.get('/lists', { config: { scope: 'predict', priority: 'low' } }, async () => {
    counted.push(turns);
    return 'done';
  });
  await app.ready();
  let ended = false;
  const lists = Promise.all(Array.from({ length: 5 }, () => app.inject(LIST))).then(() => (ended = true));
  for (; !ended; turns++) await setImmediate();
  await lists;
  assert.deepEqual(
    counted.map((each) => each - counted[0]!),
    [0, 1, 2, 3, 4],
  );
});

test('rejects a list if too many lists are waiting', async (t) => {
  const app = await serve(t, () => () => 0);
  const all = await Promise.all(Array.from({ length: MAX_WAITING_READS + 10 }, () => app.inject(LIST)));
  const rejected = all.filter(({ statusCode }) => statusCode === 503);
  assert.ok(rejected.length > 0 && rejected.length <= 10, `${rejected.length} rejected`);
  assertProblem(rejected[0]!, 503, 'overloaded');
});

test('a very late event loop rejects everything but health and metrics', async (t) => {
  const app = await serve(t, () => () => MAX_DELAY_MS * CRITICAL_FACTOR + 1);
  for (const request of [...NEW, ...OTHER]) assertProblem(await app.inject(request), 503, 'overloaded');
  for (const probe of PROBES) assert.equal((await app.inject(probe)).statusCode, 200, probe.url);
});

test('each kind of request has its limit of delay', async (t) => {
  let delayMs = 0;
  const app = await serve(t, () => () => delayMs);
  const [job, , , , cancel] = [...NEW, ...OTHER];
  for (const [request, limit] of [
    [LIST, 2.5],
    [job!, 5],
    [cancel!, 100],
  ] as const) {
    delayMs = limit;
    assert.equal((await app.inject(request)).statusCode, 200, `${limit} ms`);
    delayMs = limit + 0.25;
    assert.equal((await app.inject(request)).statusCode, 503, `more than ${limit} ms`);
  }
});

test('a rejected request may be repeated after the delay, for at most a minute', async (t) => {
  let delayMs = 0;
  const app = await serve(t, () => () => delayMs);
  const found: unknown[] = [];
  for (delayMs of [6, 1000, 1001, 60_000, 61_000])
    found.push((await app.inject(NEW[0]!)).headers['retry-after']);
  assert.deepEqual(found, ['1', '1', '2', '60', '60']);
});

test('a delay is the smaller of the last two, and the whole interval if the event loop took no turn', (t) => {
  const clock = { now: 1000 };
  t.mock.method(performance, 'now', () => clock.now);
  t.mock.timers.enable({ apis: ['setInterval'] });
  const hooks = new Map<string, () => unknown>();
  const server = Object.assign(new EventEmitter(), { listening: false });
  const addHook = (name: string, hook: () => unknown) => void hooks.set(name, hook);
  const currentDelay = measureDelay({ addHook, server } as unknown as FastifyInstance);
  hooks.get('onReady')!();
  /** @returns the delay after another second, at whose end the clock has advanced by `milliseconds` */
  const delayAfter = (milliseconds: number) => {
    clock.now += milliseconds;
    t.mock.timers.tick(1000);
    return currentDelay();
  };
  assert.equal(delayAfter(900), 0, 'the server does not listen');
  server.emit('listening');
  assert.deepEqual([300, 400, 200, 500].map(delayAfter), [0, 300, 200, 200]);
  t.mock.timers.tick(999);
  assert.equal(currentDelay(), 200);
  hooks.get('onClose')!();
  assert.equal(delayAfter(700), 200);
});
