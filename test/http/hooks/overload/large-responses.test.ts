import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setImmediate, setTimeout as wait } from 'node:timers/promises';
import Fastify from 'fastify';
import { sendProblem } from '../../../../src/http/errors/error-handler.ts';
import {
  limitLargeResponses,
  MAX_SENT_CHUNKS,
  responseLimits,
} from '../../../../src/http/hooks/overload/large-responses.ts';
import { createMemoryLedger, memoryLimit, type Reservation } from '../../../../src/services/memory/ledger.ts';
import { addCleanup, assertProblem } from '../../../support/start-service.ts';

const MEBIBYTE = 2 ** 20;
/** Larger than the buffers of the system on both sides. */
const LARGE = Buffer.alloc(24 * MEBIBYTE, 'abc');
const LIMITS = {
  totalBytes: 64 * MEBIBYTE,
  clientBytes: 40 * MEBIBYTE,
};

/** The header `client` stands for the name of a key. */
async function serve(t: TestContext, changes: Partial<typeof LIMITS> = {}, budget = 2 ** 30) {
  const limited: string[] = [];
  const app = Fastify();
  addCleanup(t, () => app.close());
  app.decorateRequest('caller', 'anonymous');
  app.addHook('onRequest', async (request, reply) => {
    request.caller = String(request.headers['client'] ?? 'anonymous');
    reply.header('x-request-id', request.id);
  });
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, 2 ** 20));
  const memory = createMemoryLedger({ limit: budget, base: 0 });
  const limits = { ...LIMITS, ...changes };
  limitLargeResponses(
    app,
    limits,
    (limit) => limited.push(limit),
    (bytes) => memory.reserve(bytes, { what: 'The response' }),
  );
  app.get('/large', async (_request, reply) => {
    // As many listeners as the hooks and handlers of the service add.
    for (let n = 0; n < 4; n++) reply.raw.once('close', () => {});
    return reply.type('text/plain').send(LARGE);
  });
  app.get('/text', async () => '—'.repeat(MEBIBYTE));
  app.get('/file', async () => Readable.from([LARGE]));
  app.get('/small', async () => 'small');
  app.post(
    '/predictions',
    { config: { scope: 'predict', sheddable: 'large-body' } },
    async () => 'predicted',
  );
  app.get('/health', { config: { scope: 'open' } }, async () => 'healthy');
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as { port: number };
  return { app, port, limited, memory };
}

/** A client that reads nothing after the beginning of the response. */
async function readNothing(t: TestContext, port: number, path: string, client = 'slow'): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  addCleanup(t, async () => void socket.destroy());
  socket.on('error', () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nclient: ${client}\r\n\r\n`);
  await once(socket, 'data');
  socket.pause();
  return socket;
}

test('a large response arrives whole, with its length', async (t) => {
  const { mock: warnings } = t.mock.method(process, 'emitWarning');
  const { app, port } = await serve(t);
  const base = `http://127.0.0.1:${port}`;
  const large = await fetch(`${base}/large`);
  assert.equal(large.headers.get('content-length'), String(LARGE.length));
  assert.ok(LARGE.equals(Buffer.from(await large.arrayBuffer())));
  assert.equal(await (await fetch(`${base}/text`)).text(), '—'.repeat(MEBIBYTE));
  const { headers, rawPayload } = await app.inject({ method: 'HEAD', url: '/large' });
  assert.deepEqual([Number(headers['content-length']), rawPayload.length], [LARGE.length, 0]);
  assert.deepEqual(
    warnings.calls.map(({ arguments: [warning] }) => String(warning)),
    [],
  );
});

test('a client that does not read its responses gets no further ones, but others do', async (t) => {
  const { app, port, limited } = await serve(t);
  const get = (url: string, client: string) => app.inject({ url, headers: { client } });
  const socket = await readNothing(t, port, '/large');
  for (const path of ['/small', '/large']) {
    const rejected = await get(path, 'slow');
    assert.match(assertProblem(rejected, 503, 'overloaded').detail, /24 MiB of earlier responses/);
    assert.match(String(rejected.headers['retry-after']), /^[1-9]\d*$/);
  }
  assert.equal((await get('/health', 'slow')).statusCode, 200);
  const predictions = { method: 'POST', url: '/predictions', headers: { client: 'slow' } } as const;
  assert.equal((await app.inject(predictions)).statusCode, 200);
  assert.equal((await get('/large', 'other')).statusCode, 200);
  assert.deepEqual(limited, ['unsent', 'unsent']);
  socket.destroy();
  while ((await get('/small', 'slow')).statusCode !== 200) await wait(10);
});

test('unread responses of all clients together are limited', async (t) => {
  const { app, port } = await serve(t, { clientBytes: 200 * MEBIBYTE });
  await readNothing(t, port, '/large', 'one');
  // Below half of the limit something is still computed, and sent if it fits.
  assert.equal((await app.inject({ url: '/small', headers: { client: 'three' } })).statusCode, 200);
  await readNothing(t, port, '/large', 'two');
  const rejected = await app.inject({ url: '/small', headers: { client: 'three' } });
  assert.match(assertProblem(rejected, 503, 'overloaded').detail, /other clients/);
});

test('files do not count as unread responses', async (t) => {
  const { app, port } = await serve(t, { clientBytes: 2 * MEBIBYTE });
  await readNothing(t, port, '/file');
  assert.equal((await app.inject({ url: '/small', headers: { client: 'slow' } })).statusCode, 200);
});

test('an unread response reserves its memory until it is sent', async (t) => {
  const { app, port, memory } = await serve(t, { clientBytes: 200 * MEBIBYTE }, 64 * MEBIBYTE);
  const socket = await readNothing(t, port, '/large');
  assert.equal(memory.used(), LARGE.length);
  const other = memory.reserve(memory.budget - 1.5 * LARGE.length, { what: 'Other work' });
  const rejected = await app.inject({ url: '/large', headers: { client: 'other' } });
  assert.match(assertProblem(rejected, 503, 'overloaded').detail, /The response takes about 24 MiB/);
  other.release();
  socket.destroy();
  while (memory.used() > 0) await wait(10);
});

test('sends a few chunks of all large responses together per turn of the event loop', async (t) => {
  const { app, port } = await serve(t, { clientBytes: 2 ** 30, totalBytes: 2 ** 30 });
  let turns = 0;
  const sentIn: number[] = [];
  app.server.on('request', (_request, response) => {
    const write = response.write.bind(response);
    t.mock.method(response, 'write', (chunk: Buffer) => {
      sentIn.push(turns);
      return write(chunk);
    });
  });
  let ended = false;
  const clients = 3 * MAX_SENT_CHUNKS;
  const all = Promise.all(
    Array.from({ length: clients }, async () => (await fetch(`http://127.0.0.1:${port}/text`)).arrayBuffer()),
  ).finally(() => (ended = true));
  for (; !ended; turns++) await setImmediate();
  assert.deepEqual(
    (await all).map(({ byteLength }) => byteLength),
    Array(clients).fill(3 * MEBIBYTE),
  );
  const perTurn = Map.groupBy(sentIn, (turn) => turn);
  assert.ok(Math.max(...perTurn.values().map(({ length }) => length)) <= MAX_SENT_CHUNKS);
  assert.ok(sentIn.length > clients, `${sentIn.length} chunks`);
});

test('a response is large from 64 KiB on, whatever its number of characters is', async () => {
  const app = Fastify();
  const reserved: number[] = [];
  app.decorateRequest('caller', 'anonymous');
  limitLargeResponses(
    app,
    LIMITS,
    () => {},
    (bytes) => {
      reserved.push(bytes);
      return createMemoryLedger({ limit: 2 ** 30, base: 0 }).reserve(bytes, { what: 'The response' });
    },
  );
  app.get('/:length', async ({ params }) => Buffer.alloc(Number((params as { length: string }).length)));
  app.get('/text/:length', async ({ params }) => '—'.repeat(Number((params as { length: string }).length)));
  for (const url of ['/65535', '/65536', '/text/21845', '/text/21846']) await app.inject(url);
  // A dash takes three bytes.
  assert.deepEqual(reserved, [65_536, 65_538]);
});

test('unread responses take an eighth of the memory, at most 256 MiB, and those of a client half of that', () => {
  const { totalBytes, clientBytes } = responseLimits();
  assert.equal(totalBytes, Math.min(memoryLimit() / 8, 268_435_456));
  assert.equal(clientBytes, totalBytes / 2);
});

test('responses are limited from 64 KiB on, up to both limits, and a single one is never rejected', async () => {
  const KIB_64 = 2 ** 16;
  for (const [sizes, totalBytes, clientBytes, statuses, limited] of [
    [[KIB_64, KIB_64], 2 * KIB_64, 2 * KIB_64, [200, 200], 0],
    [[KIB_64, KIB_64], 2 * KIB_64 - 1, 2 * KIB_64, [200, 503], 1],
    [[KIB_64, KIB_64], 2 * KIB_64, 2 * KIB_64 - 1, [200, 503], 1],
    [[KIB_64 - 1, KIB_64 - 1], 1, 1, [200, 200], 0],
    [[KIB_64], 1, 1, [200], 0],
  ] as const) {
    const limits: string[] = [];
    const reserved: number[] = [];
    let released = 0;
    const app = Fastify();
    app.decorate('basePath', '');
    app.decorateRequest('caller', 'anonymous');
    app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, 2 ** 20));
    limitLargeResponses(
      app,
      { totalBytes, clientBytes },
      (limit) => limits.push(limit),
      (bytes) => {
        reserved.push(bytes);
        return { release: () => released++ } as unknown as Reservation;
      },
    );
    app.get<{ Params: { bytes: number } }>('/:bytes', async ({ params }) => 'x'.repeat(params.bytes));
    await app.ready();
    const responses = await Promise.all(sizes.map((bytes) => app.inject(`/${bytes}`)));
    assert.deepEqual(
      responses.map(({ statusCode }) => statusCode),
      statuses,
      `${sizes} bytes with ${totalBytes} and ${clientBytes}`,
    );
    assert.deepEqual(limits, new Array(limited).fill('unsent'));
    const sent = responses.filter(({ statusCode, body }) => statusCode === 200 && body.length >= KIB_64);
    assert.deepEqual([reserved, released], [sent.map(() => KIB_64), sent.length]);
  }
});
