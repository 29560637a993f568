import assert from 'node:assert/strict';
import test from 'node:test';
import Fastify from 'fastify';
import { startTogether } from '../../src/tuning/start-together.ts';
import { switchOff } from '../../src/tuning/switches.ts';

function buildApp() {
  const app = Fastify();
  const order: string[] = [];
  app.addHook('preHandler', ({ url }, _reply, done) => {
    order.push(`${url} arrived`);
    done();
  });
  startTogether(app);
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
