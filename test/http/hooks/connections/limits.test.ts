import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import Fastify, { type FastifyInstance } from 'fastify';
import { sendClientError } from '../../../../src/http/errors/client-error.ts';
import type { OnLimit } from '../../../../src/http/hooks/connections/client.ts';
import {
  MAX_CLIENT_CONNECTIONS,
  MAX_CLIENT_STREAMS,
} from '../../../../src/http/hooks/connections/client-limits.ts';
import {
  CONNECTION_LIMITS,
  type ConnectionLimits,
  connectionOptions,
  MAX_PATH_PARAMETER_CHARS,
} from '../../../../src/http/hooks/connections/limits.ts';
import { limitConnections } from '../../../../src/http/hooks/connections/slow-clients.ts';
import { countTimeouts, measureRequests, type RequestMeter } from '../../../../src/http/metrics/requests.ts';

const LONG_MS = 60_000;
const POST = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n';
const CHUNK_BYTES = 128 * 1024;
/** A body larger than the socket buffers of both ends. */
const HUGE = Buffer.alloc(64 * 2 ** 20, 'x');

/** What the services have logged. */
const logged: { msg: string; status?: number; method?: string; url?: string }[] = [];
const logger = { stream: { write: (line: string) => void logged.push(JSON.parse(line)) } };

/** Chunks of a response, as sent by `limitLargeResponses`. */
function* inChunks(bytes: Buffer) {
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES)
    yield bytes.subarray(start, start + CHUNK_BYTES);
}

/** A service with one short limit; all others are too long to matter. */
async function serve(
  t: TestContext,
  short: Partial<ConnectionLimits>,
  work?: Promise<void>,
  onMeasured = (_labels: string) => {},
  onLimit: OnLimit = () => {},
) {
  const limits = {
    headersMs: LONG_MS,
    requestMs: LONG_MS,
    stallMs: LONG_MS,
    eventStallMs: LONG_MS,
    keepAliveMs: LONG_MS,
    ...short,
  };
  const all = { ...CONNECTION_LIMITS, ...limits, checkMs: 20, measureMs: 20 };
  const app = Fastify({ ...connectionOptions(all), clientErrorHandler: sendClientError, logger });
  const requests: RequestMeter = {
    duration: (...labels) => ({ observe: () => onMeasured(labels.join(' ')) }),
    openStream: () => () => {},
  };
  app.decorate('basePath', '');
  limitConnections(app, all, countTimeouts(requests), onLimit);
  measureRequests(app, requests);
  t.after(() => app.close());
  app.post('/', async () => {
    await work;
    return 'done';
  });
  app.post('/upload', { config: { scope: 'train', upload: true } }, async () => 'taken');
  app.get('/', async () => 'done');
  app.get('/huge', async () => Readable.from(inChunks(HUGE)));
  app.get('/file', async () => Readable.from([HUGE]));
  app.get('/events', async (_request, reply) => reply.type('text/event-stream').send(Readable.from([HUGE])));
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app;
}

async function dial(app: FastifyInstance): Promise<{ client: Socket; server: Socket }> {
  const accepted = once(app.server, 'connection') as Promise<[Socket]>;
  const client = connect((app.server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
  const [server] = await accepted;
  return { client, server };
}

const closing = (socket: Socket) =>
  new Promise<void>((resolve) => (socket.destroyed ? resolve() : socket.once('close', () => resolve())));

async function assertNobodyIsConnected(app: FastifyInstance): Promise<void> {
  const count = await new Promise<number>((resolve) =>
    app.server.getConnections((_error, connections) => resolve(connections)),
  );
  assert.equal(count, 0);
}

/** Sends a byte every 10 ms until the connection is closed, so it is never idle. */
function drip(socket: Socket, byte: string): void {
  const timer = setInterval(() => socket.write(byte), 10);
  socket.once('close', () => clearInterval(timer));
}

const assertTimedOut = (said: string, why: RegExp) => {
  assert.match(said, /^HTTP\/1\.1 408 [\s\S]*application\/problem\+json/);
  assert.match(said, why);
};

test('a request without a connection has no limit, however long it takes', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const app = await serve(t, { stallMs: 20, requestMs: 20 }, promise);
  const response = app.inject({ method: 'POST', url: '/' });
  // Several measurements, each every 20 milliseconds, come before this timer.
  setTimeout(resolve, 200);
  assert.equal((await response).body, 'done');
});

test('closes a silent connection', async (t) => {
  const app = await serve(t, { headersMs: 50 });
  const { client } = await dial(app);
  assertTimedOut(await text(client), /"code":"request-timeout"/);
  await assertNobodyIsConnected(app);
});

test('limits the time of headers that arrive byte by byte', async (t) => {
  const app = await serve(t, { headersMs: 100 });
  const { client, server } = await dial(app);
  client.write('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ');
  drip(client, 'x');
  await closing(server);
  await assertNobodyIsConnected(app);
});

test('limits the time of a body that arrives byte by byte', async (t) => {
  const app = await serve(t, { headersMs: 200, requestMs: 200 });
  const { client, server } = await dial(app);
  client.write(`${POST}Content-Length: 1000000\r\n\r\n`);
  drip(client, 'x');
  await closing(server);
  await assertNobodyIsConnected(app);
});

test('a stalled body gives 408, but a long-running request does not', async (t) => {
  const longer = Promise.withResolvers<void>();
  // The service cannot close before that.
  t.after(() => longer.resolve());
  const app = await serve(t, { stallMs: 50 }, longer.promise);
  const say = async (body: string) => {
    const { client } = await dial(app);
    client.write(`${POST}Connection: close\r\nContent-Length: 9\r\n\r\n${body}`);
    return text(client);
  };
  const whole = say('123456789');
  assertTimedOut(await say('1234'), /no byte of the body arrived for 0.05 seconds/);
  longer.resolve();
  assert.match(await whole, /^HTTP\/1.1 200 [\s\S]*done$/);
  await assertNobodyIsConnected(app);
});

for (const [title, short] of [
  ['stops arriving', { stallMs: 50 }],
  ['does not arrive in time', { requestMs: 50 }],
] as const) {
  test(`a body that ${title} is logged, and counted once as a 408 of its route`, async (t) => {
    const measured: string[] = [];
    logged.length = 0;
    const app = await serve(t, short, undefined, (labels) => measured.push(labels));
    const { client } = await dial(app);
    client.write(`${POST}Content-Length: 9\r\n\r\n1234`);
    assert.match(await text(client), /^HTTP\/1\.1 408 /);
    await assertNobodyIsConnected(app);
    assert.deepEqual(measured, ['/ POST 408']);
    const [line, ...more] = logged.filter(({ status }) => status !== undefined);
    assert.deepEqual([line?.status, line?.method, line?.url, more], [408, 'POST', '/', []]);
  });
}

test('closes an idle keep-alive connection', async (t) => {
  const app = await serve(t, { keepAliveMs: 50 });
  const { client } = await dial(app);
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.match(await text(client), /^HTTP\/1.1 200 [\s\S]*done$/);
  await assertNobodyIsConnected(app);
});

test('closes a client that does not read its response', async (t) => {
  const app = await serve(t, { stallMs: 50 });
  const { client, server } = await dial(app);
  client.pause();
  client.write('GET /huge HTTP/1.1\r\nHost: x\r\n\r\n');
  await closing(server);
  assert.equal(server.writableLength, 0, 'what it did not read is let go');
  client.destroy();
  await assertNobodyIsConnected(app);
});

for (const path of ['/huge', '/file']) {
  test(`closes a client that reads ${path} below the minimum rate`, async (t) => {
    const limited: string[] = [];
    const short = { stallMs: 100, minReadBytesPerSecond: 2 ** 40 };
    const app = await serve(t, short, undefined, undefined, (limit) => limited.push(limit));
    const { client, server } = await dial(app);
    client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const reading = setInterval(() => client.read(1000), 10);
    await closing(server);
    clearInterval(reading);
    client.destroy();
    assert.deepEqual(limited, ['rate']);
  });
}

test('a stream of events has no minimum rate, but its client must read', async (t) => {
  const short = { stallMs: 50, minReadBytesPerSecond: 2 ** 40 };
  const app = await serve(t, short);
  const [events, other] = [await dial(app), await dial(app)];
  events.client.pause().write('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(events.client, 'readable');
  other.client.pause().write('GET /huge HTTP/1.1\r\nHost: x\r\n\r\n');
  await closing(other.server);
  assert.ok(!events.server.destroyed);
  events.client.destroy();
  const strict = await serve(t, { eventStallMs: 50 });
  const { client, server } = await dial(strict);
  client.pause().write('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
  await closing(server);
  client.destroy();
});

test('closes a client that pipelines requests without reading', async (t) => {
  const app = await serve(t, { stallMs: 50 });
  const { client, server } = await dial(app);
  client.pause();
  client.write('GET /huge HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100));
  await closing(server);
  client.destroy();
  await assertNobodyIsConnected(app);
});

test('closes a connection with more open requests than may be pipelined', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const app = await serve(t, { pipelined: 3 }, promise);
  const send = async (requests: number) => {
    const { client } = await dial(app);
    client.write('POST / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(requests - 1));
    client.write('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    return text(client);
  };
  let arrived = 0;
  app.server.on('request', () => ++arrived === 7 && resolve());
  const [allowed, tooMany] = await Promise.all([send(3), send(4)]);
  assert.deepEqual([allowed.match(/done/g)?.length, tooMany], [3, '']);
});

test('closes a client that sends requests behind a stream of events', async (t) => {
  const app = await serve(t, {});
  const { client, server } = await dial(app);
  client.pause().write('GET /events HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await closing(server);
  client.destroy();
});

test('a slow reader gets its whole response', async (t) => {
  // Longer than this process may stop for other tests, and shorter than the whole response takes.
  const stallMs = 2500;
  const app = await serve(t, { stallMs });
  const { client } = await dial(app);
  client.write('GET /huge HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const pauseMs = 5;
  let [length, pauses] = [0, 0];
  for await (const chunk of client) {
    length += (chunk as Buffer).length;
    await wait(pauseMs);
    pauses++;
  }
  assert.ok(pauses * pauseMs > stallMs, 'the limit applies to one pause, not to all together');
  assert.ok(length > HUGE.length);
});

test('closes a connection above the limit immediately', async (t) => {
  const app = await serve(t, { connections: 2 });
  const held = [await dial(app), await dial(app)];
  const port = (app.server.address() as AddressInfo).port;
  const refused = connect(port, '127.0.0.1').on('error', () => {});
  assert.equal(await text(refused).catch(() => ''), '');
  for (const { client } of held) client.destroy();
});

test('an upload may take longer than other bodies', async (t) => {
  const app = await serve(t, { headersMs: 200, requestMs: 200 });
  const body = (path: string) =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\n1234`;
  const [upload, other] = [await dial(app), await dial(app)];
  upload.client.write(body('/upload'));
  other.client.write(body('/'));
  const said = text(upload.client);
  assertTimedOut(await text(other.client), /the body did not arrive within 0\.2 seconds/);
  upload.client.write('56789');
  assert.match(await said, /^HTTP\/1\.1 200 [\s\S]*taken$/);
});

test('the limits are those of the documentation', () => {
  const { http, ...timeouts } = connectionOptions(CONNECTION_LIMITS);
  assert.deepEqual(timeouts, {
    requestTimeout: 3_600_000,
    keepAliveTimeout: 72_000,
    connectionTimeout: 30_000,
  });
  assert.deepEqual(http, {
    headersTimeout: 20_000,
    connectionsCheckingInterval: 5000,
    maxHeaderSize: 16_384,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  });
  const { requestMs, minReadBytesPerSecond, eventStallMs, connections, pipelined } = CONNECTION_LIMITS;
  assert.deepEqual([requestMs, minReadBytesPerSecond, eventStallMs], [120_000, 16_384, 10_000]);
  assert.equal(CONNECTION_LIMITS.measureMs, 500);
  assert.deepEqual([connections, pipelined, MAX_PATH_PARAMETER_CHARS], [4000, 16, 128]);
  assert.deepEqual([MAX_CLIENT_CONNECTIONS, MAX_CLIENT_STREAMS], [1000, 500]);
});
