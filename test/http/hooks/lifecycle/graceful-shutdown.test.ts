import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import Fastify from 'fastify';
import { registerErrorHandler } from '../../../../src/http/errors/error-handler.ts';
import {
  drainInFlightRequests,
  rejectWhileDraining,
} from '../../../../src/http/hooks/lifecycle/graceful-shutdown.ts';

async function serve(t: TestContext) {
  const app = Fastify({ return503OnClosing: false });
  t.after(() => app.close());
  drainInFlightRequests(app);
  const work = Promise.withResolvers<void>();
  app.get('/work', async () => {
    await work.promise;
    return 'worked';
  });
  app.get('/state', async () => 'closing');
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const say = (text: string) => {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    socket.write(text);
    return socket;
  };
  const ask = (path: string) => say(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return { app, work, say, ask };
}

test('closing completes in-flight requests, and still responds to new ones until then', async (t) => {
  const { app, work, ask } = await serve(t);
  const arrived = once(app.server, 'request');
  const worked = text(ask('/work'));
  await arrived;
  const closed = app.close();
  assert.match(await text(ask('/state')), /^HTTP\/1.1 200 [\s\S]*connection: close[\s\S]*closing$/i);
  work.resolve();
  assert.match(await worked, /^HTTP\/1.1 200 [\s\S]*worked$/);
  await closed;
});

test('an incomplete request does not delay closing', async (t) => {
  const { app, say } = await serve(t);
  for (const sent of ['', 'GET /state HTTP/1.1\r\nHost:']) {
    const accepted = once(app.server, 'connection') as Promise<[Socket]>;
    say(sent);
    const [socket] = await accepted;
    while (socket.bytesRead < sent.length) await setImmediate();
  }
  await app.close();
  assert.equal(app.server.listening, false);
});

test('closing does not wait for a request whose client has disconnected', async (t) => {
  const { app, ask } = await serve(t);
  const arrived = once(app.server, 'request');
  const socket = ask('/work');
  await arrived;
  const closed = app.close();
  socket.destroy();
  await closed;
  assert.equal(app.server.listening, false, 'closed, although the work never ends');
});

test('a shutdown rejects new requests, except probes, and makes event streams reconnect', async () => {
  let isAccepting = true;
  const app = Fastify();
  app.decorate('basePath', '');
  registerErrorHandler(app, 1024);
  rejectWhileDraining(app, () => isAccepting);
  for (const url of ['/v1/models', '/health/ready', '/v1/training-jobs/:id/events'])
    app.get(url, async () => 'served');
  const get = async (url: string, accept = 'application/json') => {
    const { statusCode, headers, body } = await app.inject({ url, headers: { accept } });
    return [statusCode, headers['retry-after'], statusCode === 503 ? JSON.parse(body).detail : body];
  };
  const events = '/v1/training-jobs/1/events';
  assert.deepEqual(await get('/v1/models'), [200, undefined, 'served']);
  assert.deepEqual(await get(events, 'text/event-stream'), [200, undefined, 'served']);
  isAccepting = false;
  const rejected = [503, '5', 'The service is shutting down. Try again shortly.'];
  assert.deepEqual(await get('/v1/models'), rejected);
  assert.deepEqual(await get('/v1/models', 'text/event-stream'), rejected);
  assert.deepEqual(await get(events), rejected);
  assert.deepEqual(await get('/health/ready'), [200, undefined, 'served']);
  assert.deepEqual(await get(events, 'text/event-stream'), [
    200,
    undefined,
    ': The service is shutting down.\nretry: 1000\n',
  ]);
});
