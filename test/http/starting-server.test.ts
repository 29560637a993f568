import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import Fastify from 'fastify';
import { problemSchema } from '../../src/http/errors/problem.ts';
import { drainInFlightRequests, releasePort } from '../../src/http/hooks/lifecycle/graceful-shutdown.ts';
import { bindServer } from '../../src/http/starting-server.ts';

const portOf = (server: Server) => (server.address() as AddressInfo).port;

const DEFAULTS = { host: '127.0.0.1', port: 0, basePath: '', reusePort: false, corsOrigins: [] as string[] };

async function bind(t: TestContext, settings: Partial<typeof DEFAULTS> = {}) {
  const { server, ...bound } = await bindServer({ ...DEFAULTS, ...settings });
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { server, ...bound, base: `http://127.0.0.1:${bound.port}` };
}

async function inject(url: string, init?: RequestInit) {
  const response = await fetch(url, init);
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  };
}

test('responds 503 `starting` before the application takes over, in the format of each protocol', async (t) => {
  const { base } = await bind(t);
  const models = await inject(`${base}/v1/models`, { headers: { 'x-request-id': 'mine' } });
  assert.equal(models.statusCode, 503);
  const { code, instance, requestId } = problemSchema.parse(JSON.parse(models.body));
  assert.deepEqual([code, instance, requestId], ['starting', '/v1/models', 'mine']);
  assert.equal(models.headers['x-request-id'], 'mine');
  assert.match(models.headers['retry-after']!, /^[1-9]\d*$/);
  assert.equal(models.headers['x-content-type-options'], 'nosniff');
  const upload = { method: 'POST', body: 'x'.repeat(2 ** 20) };
  assert.equal((await inject(`${base}/v1/datasets`, upload)).statusCode, 503);
  const infer = await inject(`${base}/v2/models/m/infer`, upload);
  assert.equal(infer.statusCode, 503);
  assert.match(JSON.parse(infer.body).error, /^The service is starting/);
});

test('a client whose body does not end gets the response and loses its connection', async (t) => {
  const { port } = await bind(t);
  const socket = connect(port, '127.0.0.1');
  socket.write('POST /v1/datasets HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{');
  const response = await text(socket);
  assert.match(response, /^HTTP\/1.1 503 .*^connection: close/ims);
});

test('makes event streams reconnect before the application takes over, since a 503 would end an EventSource', async (t) => {
  const corsOrigins = ['https://lab.example'];
  const { base } = await bind(t, { basePath: '/atelier', corsOrigins });
  const url = `${base}/atelier/v1/training-jobs/job_1/events`;
  const headers = { accept: 'text/event-stream', origin: corsOrigins[0]!, 'last-event-id': '3' };
  const stream = await inject(url, { headers });
  assert.deepEqual([stream.statusCode, stream.body], [200, ': The service is starting.\nretry: 1000\n']);
  assert.equal(stream.headers['content-type'], 'text/event-stream; charset=utf-8');
  assert.equal(stream.headers['connection'], 'close');
  assert.equal(stream.headers['access-control-allow-origin'], corsOrigins[0]);
  const search = await inject(`${base}/atelier/v1/searches/sea_1/events`, { headers });
  assert.deepEqual([search.statusCode, search.body], [200, stream.body]);
  assert.equal((await inject(url)).statusCode, 503, 'the list of events');
});

test('is alive but not ready before the application takes over', async (t) => {
  const { base } = await bind(t, { basePath: '/atelier' });
  const probe = async (path: string) => {
    const { statusCode, body } = await inject(base + path);
    return [statusCode, JSON.parse(body)];
  };
  assert.deepEqual(await probe('/health/live'), [200, { live: true }]);
  assert.deepEqual(await probe('/atelier/v2/health/live'), [200, { live: true }]);
  for (const path of ['/', '/atelier', '/atelier/']) {
    assert.deepEqual(await probe(path), [200, { status: 'alive' }], path);
  }
  const checks = { database: false, datasets: false, accepting: false, storage: true };
  assert.deepEqual(await probe('/health/ready'), [503, { ready: false, checks }]);
  assert.deepEqual(await probe('/v2/health/ready'), [503, { ready: false, live: true }]);
});

test('the application takes over the port and its open connections', async (t) => {
  const { server, serverFactory, handOver, base } = await bind(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const request = async () => {
    const [response] = (await once(get(`${base}/here`, { agent }), 'response')) as [IncomingMessage];
    const { statusCode, socket } = response;
    const { localPort } = socket;
    await text(response);
    return { statusCode, localPort };
  };

  const app = Fastify({ serverFactory });
  drainInFlightRequests(app);
  app.get('/here', async () => ({}));
  await app.ready();
  const before = await request();
  assert.equal(
    before.statusCode,
    503,
    'an application that is built but was not handed over to receives no requests',
  );
  assert.equal(await handOver(), base);
  assert.deepEqual(await request(), { statusCode: 200, localPort: before.localPort });
  agent.destroy();
  await app.close();
  assert.equal(server.listening, false);
});

test('HOST=localhost binds both loopback addresses', async (t) => {
  const { server } = await bind(t, { host: 'localhost' });
  const hosts = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const hasIPv6 = hosts.some(({ address }) => address === '::1');
  for (const host of hasIPv6 ? ['127.0.0.1', '[::1]'] : ['127.0.0.1']) {
    const live = await inject(`http://${host}:${portOf(server)}/health/live`);
    assert.equal(live.statusCode, 200, host);
  }
});

test('rejects a port in use with advice', async (t) => {
  const { server } = await bind(t);
  const port = portOf(server);
  await assert.rejects(
    bind(t, { port }),
    new RegExp(`PORT=${port} \\(EADDRINUSE\\)\\. Another process uses the port`),
  );
});

test('a shared port is bound when the application takes over, and released when a shutdown begins', async (t) => {
  // Finds a free port.
  const { server: probe } = await bind(t);
  const port = portOf(probe);
  probe.close();
  await once(probe, 'close');
  const work = Promise.withResolvers<string>();
  const stop = new AbortController();
  async function start(name: string) {
    const { server, serverFactory, handOver } = await bind(t, { port, reusePort: true });
    const app = Fastify({ serverFactory });
    drainInFlightRequests(app);
    releasePort(app, () => stop.signal);
    app.get('/name', async () => name);
    app.get('/work', () => work.promise);
    assert.equal(server.listening, false);
    await app.ready();
    await handOver();
    assert.equal(server.listening, true);
    return { app, server };
  }
  const first = await start('first');
  const arrived = once(first.server, 'request');
  const worked = inject(`http://127.0.0.1:${port}/work`);
  await arrived;
  stop.abort();
  assert.equal(first.server.listening, false);
  const second = await start('second');
  for (let i = 0; i < 20; i++) {
    // A new connection each time.
    const [response] = await once(get(`http://127.0.0.1:${port}/name`, { agent: false }), 'response');
    assert.equal(await text(response), 'second');
  }
  work.resolve('worked');
  assert.equal((await worked).body, 'worked');
  await assert.rejects(bind(t, { port }), /EADDRINUSE/, 'a process that does not share the port');
  await Promise.all([first.app.close(), second.app.close()]);
});
