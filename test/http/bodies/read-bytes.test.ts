import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import test, { type TestContext } from 'node:test';
import Fastify from 'fastify';
import { createByteReader } from '../../../src/http/bodies/read-bytes.ts';

const LIMIT = 2 ** 20;
const HEADERS = { 'content-type': 'application/octet-stream' };

async function startServer(t: TestContext) {
  const app = Fastify({ bodyLimit: LIMIT });
  const statuses: unknown[] = [];
  app.addHook('onError', async (_request, _reply, error) => void statuses.push(error.statusCode));
  app.addContentTypeParser('application/octet-stream', createByteReader(LIMIT));
  app.post('/', async ({ body }) => body);
  t.after(() => app.close());
  return { app, statuses, url: await app.listen({ port: 0 }) };
}

const bytes = (length: number) => Buffer.from(Uint8Array.from({ length }, (_, n) => (n * 7919) >> 3));

for (const length of [1, 784, 65_535, 65_536, 1_000_003, LIMIT]) {
  test(`reads ${length} bytes, of known length and in chunks`, async (t) => {
    const { url } = await startServer(t);
    const body = bytes(length);
    for (const sent of [body, Readable.toWeb(Readable.from([body])) as ReadableStream]) {
      const response = await fetch(url, { method: 'POST', headers: HEADERS, body: sent, duplex: 'half' });
      assert.equal(response.status, 200);
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), body);
    }
  });
}

/** A sink that records what it receives. */
function createSink() {
  const chunks: Buffer[] = [];
  const aborted = Promise.withResolvers<unknown>();
  return {
    chunks,
    aborted: aborted.promise,
    write: (chunk: Buffer) => void chunks.push(Buffer.from(chunk)),
    abort: aborted.resolve,
  };
}

test('a sink receives a large body of known length in place of a buffer', async (t) => {
  const app = Fastify();
  const sinks: ReturnType<typeof createSink>[] = [];
  const read = createByteReader(LIMIT, (_request, first, length) => {
    assert.equal(length, LIMIT);
    const sink = createSink();
    sinks.push(sink);
    sink.write(first);
    return sink;
  });
  app.addContentTypeParser('application/octet-stream', read);
  app.post('/', async ({ body }) => Buffer.concat(body instanceof Buffer ? [body] : sinks.at(-1)!.chunks));
  t.after(() => app.close());
  const url = await app.listen({ port: 0 });
  const body = bytes(LIMIT);
  const chunked = Readable.toWeb(Readable.from([body])) as ReadableStream;
  for (const sent of [body, chunked, bytes(784)]) {
    const response = await fetch(url, { method: 'POST', headers: HEADERS, body: sent, duplex: 'half' });
    const expected = sent === chunked ? body : sent;
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), expected);
  }
  assert.equal(sinks.length, 1);

  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const head = `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\ncontent-length: ${LIMIT}\r\n\r\n`;
  socket.write(`${head}part`);
  while (sinks.length === 1) await new Promise(setImmediate);
  socket.destroy();
  assert.ok((await sinks[1]!.aborted) instanceof Error);
});

test('rejects a body above the limit, whether its length is known or not', async (t) => {
  const { app } = await startServer(t);
  const body = bytes(LIMIT + 1);
  for (const payload of [body, Readable.from([body])]) {
    const response = await app.inject({ method: 'POST', url: '/', headers: HEADERS, payload });
    assert.equal(response.statusCode, 413);
  }
});

test('a client that disconnects within its body does not disturb the next one', async (t) => {
  const { app, statuses, url } = await startServer(t);
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const received = once(app.server, 'request');
  socket.write(
    'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\ncontent-length: 100000\r\n\r\npart',
  );
  await received;
  socket.destroy();
  while (statuses.length === 0) await new Promise(setImmediate);
  assert.deepEqual(statuses, [400]);
  const response = await fetch(url, { method: 'POST', headers: HEADERS, body: bytes(784) });
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), bytes(784));
});

test('the buffer of an injected request stays with its caller', async (t) => {
  const { app } = await startServer(t);
  const payload = bytes(100_000);
  await app.inject({ method: 'POST', url: '/', headers: HEADERS, payload });
  assert.deepEqual(payload, bytes(100_000));
});

test('rejects a body of another length than its headers say', async (t) => {
  const { app } = await startServer(t);
  for (const [length, status] of [
    ['0', 400],
    ['2', 400],
    ['3', 200],
    ['4', 400],
  ] as const) {
    const headers = { ...HEADERS, 'content-length': length };
    const response = await app.inject({ method: 'POST', url: '/', headers, payload: 'abc' });
    assert.equal(response.statusCode, status, length);
  }
});
