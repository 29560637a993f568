import assert from 'node:assert/strict';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import Fastify from 'fastify';
import { acceptBeforeReading } from '../../src/tuning/accept-first.ts';
import { startTogether } from '../../src/tuning/start-together.ts';
import { switchOff } from '../../src/tuning/switches.ts';

function buildApp(maxHeldTurns?: number) {
  const app = Fastify();
  const order: string[] = [];
  app.addHook('preHandler', ({ url }, _reply, done) => {
    order.push(`${url} arrived`);
    done();
  });
  startTogether(app, maxHeldTurns);
  app.get('/good', ({ url }, reply) => {
    order.push(`${url} started`);
    reply.send('good');
  });
  app.get('/bad', async () => {
    throw new Error('bad');
  });
  return { app, order };
}

test('handlers start when all requests of a turn have arrived, in the order of the requests', async () => {
  const { app, order } = buildApp();
  await app.ready();
  await Promise.all(['/good?1', '/good?2', '/good?3'].map((url) => app.inject(url)));
  assert.deepEqual(order, [
    '/good?1 arrived',
    '/good?2 arrived',
    '/good?3 arrived',
    '/good?1 started',
    '/good?2 started',
    '/good?3 started',
  ]);
});

test('a handler that fails keeps neither the others nor later requests from starting', async () => {
  const { app } = buildApp();
  const responses = await Promise.all(['/bad', '/good'].map((url) => app.inject(url)));
  assert.deepEqual(
    responses.map(({ statusCode }) => statusCode),
    [500, 200],
  );
  assert.equal((await app.inject('/good')).statusCode, 200);
});

test('switched off, each handler starts when its request has arrived, with the same responses', async (t) => {
  t.after(() => switchOff([]));
  switchOff(['start-together']);
  const { app, order } = buildApp();
  await app.ready();
  const responses = await Promise.all(['/good?1', '/good?2'].map((url) => app.inject(url)));
  assert.deepEqual(order, ['/good?1 arrived', '/good?1 started', '/good?2 arrived', '/good?2 started']);
  assert.deepEqual(
    responses.map(({ body }) => body),
    ['good', 'good'],
  );
});

/** A request arrives when a connection is accepted that has sent another one. Returns the order of events. */
async function requestWhileAccepting(t: TestContext, maxHeldTurns: number): Promise<string[]> {
  const { app, order } = buildApp(maxHeldTurns);
  t.after(() => app.close());
  acceptBeforeReading(app);
  await app.listen({ port: 0, host: '127.0.0.1' });
  const known = new Promise((resolve) =>
    app.server.once('connection', () => resolve(app.inject('/good?known'))),
  );
  const client = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  client.write('GET /good?new HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await Promise.all([known, text(client)]);
  return order;
}

test('handlers wait until new connections are accepted and read', async (t) => {
  assert.deepEqual(await requestWhileAccepting(t, Number.POSITIVE_INFINITY), [
    '/good?known arrived',
    '/good?new arrived',
    '/good?known started',
    '/good?new started',
  ]);
});

test('handlers wait for new connections for a limited number of turns', async (t) => {
  assert.deepEqual(await requestWhileAccepting(t, 0), [
    '/good?known arrived',
    '/good?known started',
    '/good?new arrived',
    '/good?new started',
  ]);
});
