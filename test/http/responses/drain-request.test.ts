import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { IncomingMessage } from 'node:http';
import { type AddressInfo, connect, Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { after, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { sendContinueOnRead } from '../../../src/http/hooks/connections/expect-continue.ts';
import {
  drainRequest,
  MAX_DRAIN_IDLE_MS,
  MAX_DRAIN_MS,
  MAX_DRAINED_CHUNKS,
} from '../../../src/http/responses/drain-request.ts';
import { assertProblem, startService, train } from '../../support/start-service.ts';

const MAX_BODY_BYTES = 8 * 2 ** 20;
const { app } = await startService({ after }, { MAX_BODY_BYTES: String(MAX_BODY_BYTES) });
await app.listen({ port: 0, host: '127.0.0.1' });
await train(app);
const { port } = app.server.address() as AddressInfo;
const base = `http://127.0.0.1:${port}`;
const PREDICT = '/v1/models/fashion-mnist/predictions';
const BYTES = 'application/octet-stream';

/** Resolves when the socket is closed, even after an error, at which `once` of node:events would reject. */
const closing = (socket: Socket) =>
  new Promise((resolve) => socket.on('error', () => {}).once('close', resolve));

/** Everything that the service sends until it closes the connection. */
async function readUntilClosed(socket: Socket): Promise<string> {
  let said = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    said += text;
  });
  await closing(socket);
  return said;
}

function problemIn(said: string) {
  const [head, body] = said.split('\r\n\r\n') as [string, string];
  const [status, ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.split(':')[0]!.toLowerCase(), line.split(': ')[1]!]),
  );
  return { statusCode: Number(status!.split(' ')[1]), headers, body };
}

const head = (headers: string, path = PREDICT) =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${BYTES}\r\n${headers}\r\n\r\n`;

async function stillAnswers(): Promise<void> {
  const response = await fetch(base + PREDICT, {
    method: 'POST',
    headers: { 'content-type': BYTES },
    body: new Uint8Array(784),
  });
  assert.equal(response.status, 200);
}

test('a client that sends too much receives its 413', async () => {
  for (const [path, size] of [
    [PREDICT, MAX_BODY_BYTES + 1],
    ['/v1/training-jobs', 2 ** 20 + 1],
    ['/v1/training-jobs', MAX_BODY_BYTES],
  ] as const) {
    const type = path === PREDICT ? BYTES : 'application/json';
    const response = await fetch(base + path, {
      method: 'POST',
      headers: { 'content-type': type },
      body: new Uint8Array(size),
    });
    const headers = Object.fromEntries(response.headers);
    assertProblem(
      { statusCode: response.status, headers, body: await response.text() },
      413,
      'body-too-large',
    );
  }
  await stillAnswers();
});

test('a client without Content-Length that sends too much receives its 413', async () => {
  const chunk = new Uint8Array(2 ** 16);
  const body = new ReadableStream({
    start(controller) {
      for (let sent = 0; sent <= MAX_BODY_BYTES; sent += chunk.length) controller.enqueue(chunk);
      controller.close();
    },
  });
  const response = await fetch(base + PREDICT, {
    method: 'POST',
    headers: { 'content-type': BYTES },
    body,
    duplex: 'half',
  });
  const headers = Object.fromEntries(response.headers);
  assertProblem({ statusCode: response.status, headers, body: await response.text() }, 413, 'body-too-large');
});

test('a client that never stops sending is closed at the body limit', async () => {
  const socket = connect(port, '127.0.0.1');
  const closed = closing(socket);
  socket.write(head(`Content-Length: ${2 ** 40}`));
  const megabyte = Buffer.alloc(2 ** 20);
  while (socket.writable) {
    if (socket.write(megabyte)) continue;
    await Promise.race([closed, new Promise((resolve) => socket.once('drain', resolve))]);
  }
  await closed;
  assert.ok(socket.bytesWritten < 2 ** 30);
  await stillAnswers();
});

test('a body that never arrives does not delay its rejection', async () => {
  for (const [path, status] of [
    ['/v1/nothing', 404],
    [PREDICT, 413],
  ] as const) {
    const socket = connect(port, '127.0.0.1');
    const said = readUntilClosed(socket);
    socket.write(head(`Content-Length: ${2 ** 30}`, path));
    const answer = problemIn(await said);
    assert.deepEqual([answer.statusCode, answer.headers['connection']], [status, 'close']);
  }
});

test('unread bodies are drained for every other error', async () => {
  const body = new Uint8Array(2 ** 21);
  const refused: [path: string, type: string, status: number][] = [
    [PREDICT, 'image/gif', 415],
    ['/v1/nothing', BYTES, 404],
    ['/v1/models/mine', BYTES, 405],
    [`${PREDICT}?nonsense=1`, BYTES, 400],
  ];
  for (const [path, type, status] of refused) {
    const response = await fetch(base + path, { method: 'POST', headers: { 'content-type': type }, body });
    assert.equal(response.status, status, path);
    assert.match(response.headers.get('content-type')!, /^application\/problem\+json/);
    await response.text();
  }
});

test('bytes that are not HTTP get a problem and a closed connection', async () => {
  const garbage = [
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'hello\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'GET /v1/models HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n',
    `${head('Content-Length: 5\r\nTransfer-Encoding: chunked')}hello`,
    `${head('Transfer-Encoding: chunked')}zz\r\n`,
  ];
  for (const bytes of garbage) {
    const socket = connect(port, '127.0.0.1');
    const said = readUntilClosed(socket);
    socket.write(bytes, 'latin1');
    const answer = problemIn(await said);
    assert.equal(answer.headers['connection'], 'close');
    if (bytes.includes('zz')) assert.equal(answer.statusCode, 400);
    else assertProblem(answer, 400, 'malformed-request');
  }
  await stillAnswers();
});

test('rejects a missing or second Host header, and an unsupported Expect, with a problem', async () => {
  const cases = [
    ['', 400, 'malformed-request'],
    ['Host: localhost\r\nhost: y\r\n', 400, 'malformed-request'],
    ['Host: localhost\r\nExpect: coffee\r\n', 417, 'expectation-failed'],
  ] as const;
  for (const [headers, status, code] of cases) {
    const socket = connect(port, '127.0.0.1');
    const said = readUntilClosed(socket);
    socket.write(`GET /v1/models HTTP/1.1\r\nConnection: close\r\n${headers}\r\n`);
    assertProblem(problemIn(await said), status, code);
  }
});

test('headers that are too large give 431', async () => {
  const socket = connect(port, '127.0.0.1');
  const said = readUntilClosed(socket);
  socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`);
  assertProblem(problemIn(await said), 431, 'headers-too-large');
});

test('clients that disconnect in the middle of a request do not affect others', async () => {
  const halves = [
    'POST /v1/tra',
    'POST /v1/training-jobs HTTP/1.1\r\nHost: localhost\r\nContent-',
    head('Content-Length: 784'),
    `${head('Content-Length: 784')}${'x'.repeat(100)}`,
    `${head('Transfer-Encoding: chunked')}10\r\nxxxx`,
    `POST ${PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000\r\n\r\n` +
      '--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nxxxx',
    `POST ${PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/gif\r\nContent-Length: 5000\r\n\r\nGIF`,
  ];
  for (const half of halves) {
    const accepted = once(app.server, 'connection') as Promise<[Socket]>;
    const socket = connect(port, '127.0.0.1');
    socket.write(half, 'latin1');
    const [connection] = await accepted;
    while (connection.bytesRead < half.length) await setImmediate();
    const closed = closing(connection);
    socket.resetAndDestroy();
    await closed;
    assert.ok(connection.destroyed);
  }
  await stillAnswers();
});

test('pipelined requests get their responses in order', async () => {
  const socket = connect(port, '127.0.0.1');
  const said = readUntilClosed(socket);
  const get = (url: string, headers = '') => `GET ${url} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
  socket.write(
    get('/health/live') + get('/%zz') + get('/nothing') + get('/health/ready', 'Connection: close\r\n'),
  );
  const statuses = Array.from((await said).matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => Number(status));
  assert.deepEqual(statuses, [200, 400, 404, 200]);
});

test('gives up on a body that arrives steadily but slowly', async (t) => {
  const body = new PassThrough();
  const sending = setInterval(() => body.write('x'), 10);
  t.after(() => clearInterval(sending));
  assert.equal(await drainRequest(body as never, MAX_BODY_BYTES, 1000, 100), false);
});

test('reads a few chunks of all rejected bodies together per turn of the event loop', async () => {
  const [bodies, chunks] = [3 * MAX_DRAINED_CHUNKS, 4];
  let turns = 0;
  const readIn: number[] = [];
  const drained = Array.from({ length: bodies }, () => {
    const body = new PassThrough();
    for (let n = 0; n < chunks; n++) body.write('x');
    body.end();
    body.on('data', () => readIn.push(turns));
    return drainRequest(body as never, MAX_BODY_BYTES);
  });
  let ended = false;
  const all = Promise.all(drained).finally(() => (ended = true));
  for (; !ended; turns++) await setImmediate();
  assert.deepEqual(await all, Array(bodies).fill(true));
  assert.equal(readIn.length, bodies * chunks);
  // The first chunk of each has arrived with its headers.
  const perTurn = Map.groupBy(readIn.slice(bodies), (turn) => turn);
  assert.equal(Math.max(...perTurn.values().map(({ length }) => length)), MAX_DRAINED_CHUNKS);
});

test('a body is read up to its limit, and one that has ended is not read', async () => {
  const drain = (limit: number) => {
    const body = new PassThrough();
    for (let n = 0; n < 4; n++) body.write('xx');
    body.end();
    return drainRequest(body as never, limit);
  };
  assert.deepEqual([await drain(8), await drain(7)], [true, false]);
  for (const ended of [{ complete: true }, { readableEnded: true }, { destroyed: true }])
    assert.equal(await drainRequest(ended as never, 0), true);
});

test('the end of the connection ends the wait for its body', async () => {
  for (const error of [undefined, new Error('The connection is lost.')]) {
    const body = new PassThrough().on('error', () => {});
    const drained = drainRequest(body as never, 1);
    body.destroy(error);
    assert.equal(await drained, true);
  }
});

test('the body of a client that waits for 100 Continue is read only if it has arrived', async () => {
  const server = new EventEmitter();
  sendContinueOnRead({ server } as never);
  let continued = 0;
  const response = { setHeader() {}, removeHeader() {}, writeContinue: () => continued++ };
  const open = () => {
    const body = Object.assign(new PassThrough(), { headers: { 'content-length': '3' }, complete: false });
    server.emit('checkContinue', body, response);
    return body;
  };
  assert.equal(await drainRequest(open() as never, 9), false, 'nothing has arrived');

  const part = open();
  part.write('x');
  const drained = drainRequest(part as never, 9);
  await setImmediate();
  part.end('yz');
  assert.equal(await drained, true, 'the rest of a part is awaited');

  const empty = open();
  const ended = drainRequest(empty as never, 9);
  empty.complete = true;
  empty.end();
  assert.equal(await ended, true, 'all has arrived, but nothing is left to read');
  assert.equal(continued, 0, 'no rest is called for');
});

test('a body is awaited for two seconds without a byte, and for ten in any case', () => {
  assert.deepEqual([MAX_DRAIN_IDLE_MS, MAX_DRAIN_MS], [2000, 10_000]);
});

test('frees each chunk of a body at once, unless something else reads it', async () => {
  for (const isShared of [false, true]) {
    const body = new IncomingMessage(new Socket());
    if (isShared) body.on('data', () => {});
    const drained = drainRequest(body, MAX_BODY_BYTES);
    const chunk = Buffer.alloc(2 ** 16);
    body.push(chunk);
    body.push(null);
    assert.equal(await drained, true);
    assert.equal(chunk.byteLength, isShared ? 2 ** 16 : 0);
  }
});
