import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { after, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { formatApiKey, generateKey, sha256Bytes } from '../../../../src/domain/api-key.ts';
import { type Scope, startService, train } from '../../../support/start-service.ts';

const MAX_BODY_BYTES = 2 ** 20;
const PREDICT = '/v1/models/fashion-mnist/predictions';
const BYTES = 'application/octet-stream';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

async function serve(scope: Scope, environment: Record<string, string> = {}): Promise<FastifyInstance> {
  const { app } = await startService(scope, { MAX_BODY_BYTES: `${MAX_BODY_BYTES}`, ...environment });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app;
}
const app = await serve({ after });
await train(app);

/** A client that writes bytes, and reads one message at a time. */
class Client {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  #received = '';
  #arrived = Promise.withResolvers<void>();

  constructor(server: FastifyInstance) {
    this.socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
    const arrived = () => {
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers();
    };
    this.socket.setEncoding('latin1').on('data', (text: string) => {
      this.#received += text;
      arrived();
    });
    this.closed = once(this.socket, 'close').then(arrived);
  }

  /** Sends the headers of a request that expects 100 Continue. */
  expect(target: string, type: string, length: number | null, headers = ''): this {
    const [method, path] = target.includes(' ') ? target.split(' ') : ['POST', target];
    const size = length === null ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`;
    const lines = [`Content-Type: ${type}`, size, 'Expect: 100-continue', ...(headers ? [headers] : [])];
    this.socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${lines.join('\r\n')}\r\n\r\n`);
    return this;
  }

  /** The next message; '' when the connection is closed. */
  async read(): Promise<string> {
    for (;;) {
      const head = this.#received.indexOf('\r\n\r\n') + 4;
      const length = Number(/^content-length: (\d+)/im.exec(this.#received.slice(0, head))?.[1] ?? 0);
      if (head > 3 && this.#received.length >= head + length) {
        const message = this.#received.slice(0, head + length);
        this.#received = this.#received.slice(head + length);
        return message;
      }
      if (this.socket.destroyed) return '';
      await this.#arrived.promise;
    }
  }

  async assertRejected(status: number, what: string): Promise<void> {
    const message = await this.read();
    assert.match(message, new RegExp(`^HTTP/1\\.1 ${status} `), what);
    // The service cannot distinguish the next request from the body that it has rejected.
    assert.match(message, /^connection: close/im, what);
    await this.closed;
    assert.equal(await this.read(), '', what);
  }
}

test('a request whose headers are rejected gets its final status, and not 100 Continue', async () => {
  const form = 'multipart/form-data; boundary=x';
  const tooLong = 3 * MAX_BODY_BYTES;
  const cases: [target: string, type: string, length: number | null, status: number][] = [
    ['/v1/nothing', BYTES, 784, 404],
    ['PUT /v1/models', form, 784, 405],
    ['GET /v1/nothing', BYTES, 784, 404],
    [PREDICT, 'image/gif', 784, 415],
    [PREDICT, 'image/gif', null, 415],
    ['/v1/training-jobs', BYTES, 784, 415],
    ['/v1/datasets', 'application/json', 784, 415],
    ['/v1/models', BYTES, 784, 415],
    ['/v2/models/fashion-mnist/infer', 'image/png', 784, 415],
    ['/invocations', 'image/png', 784, 415],
    [PREDICT, BYTES, tooLong, 413],
    [PREDICT, 'image/png', tooLong, 413],
    [PREDICT, form, tooLong, 413],
    ['/v1/models', form, tooLong, 413],
    ['/v1/datasets', form, 2 ** 40, 413],
    ['/v1/training-jobs', 'application/json', tooLong, 413],
    ['/v2/models/fashion-mnist/infer', 'application/json', tooLong, 413],
  ];
  for (const [target, type, length, status] of cases) {
    const what = `${target} ${type} ${length}`;
    await new Client(app).expect(target, type, length).assertRejected(status, what);
  }
});

test('a missing key, a missing scope and the rate limit are checked before 100 Continue', async (t) => {
  const secret = generateKey();
  const API_KEYS = formatApiKey({ name: 'reader', scopes: ['predict'], digest: sha256Bytes(secret) });
  const keyed = await serve(t, { API_KEYS, RATE_LIMIT_PER_MINUTE: '3' });
  const rejected = (status: number, headers?: string) =>
    new Client(keyed)
      .expect('/v1/training-jobs', 'application/json', 100, headers)
      .assertRejected(status, `${status}`);
  const key = `Authorization: Bearer ${secret}`;
  await rejected(401);
  await rejected(403, key);
  await rejected(401);
  await rejected(401);
  await rejected(429);
});

test('an accepted request gets 100 Continue, and its connection can be used again', async () => {
  const image = '\0'.repeat(784);
  const form = `--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nContent-Type: ${BYTES}\r\n\r\n${image}\r\n--x--\r\n`;
  const json = JSON.stringify({ images: [new Array(784).fill(0)] });
  const v2 = JSON.stringify({
    inputs: [{ name: 'image', datatype: 'UINT8', shape: [1, 784], data: new Array(784).fill(0) }],
  });
  const client = new Client(app);
  for (const [path, type, body] of [
    [PREDICT, BYTES, image],
    [PREDICT, 'multipart/form-data; boundary=x', form],
    [PREDICT, 'application/json', json],
    ['/v2/models/fashion-mnist/infer', 'application/json', v2],
    ['PUT /v1/models/fashion-mnist/aliases/champion', 'application/json', '{"version":1}'],
  ] as const) {
    client.expect(path, type, body.length);
    assert.equal(await client.read(), CONTINUE);
    client.socket.write(body, 'latin1');
    const message = await client.read();
    assert.match(message, /^HTTP\/1\.1 20[01] /, message);
    assert.doesNotMatch(message, /^connection: close/im);
  }
  client.expect(PREDICT, BYTES, null);
  assert.equal(await client.read(), CONTINUE);
  client.socket.write(`310\r\n${image}\r\n0\r\n\r\n`);
  assert.match(await client.read(), /^HTTP\/1\.1 200 /);
  client.expect('GET /health/live', BYTES, 0);
  assert.match(await client.read(), /^HTTP\/1\.1 200 /, 'there is no body to call for');
  client.socket.destroy();
});

test('an empty body is not called for, although it is read', async () => {
  await new Client(app)
    .expect('/v1/training-jobs', 'application/json', 0)
    .assertRejected(400, 'an empty body');
});

test('a client that does not wait for 100 Continue receives the response', async () => {
  const accepted = new Client(app).expect(PREDICT, BYTES, 784);
  accepted.socket.write('\0'.repeat(784));
  assert.equal(await accepted.read(), CONTINUE);
  assert.match(await accepted.read(), /^HTTP\/1\.1 200 /);
  accepted.socket.destroy();
  const rejected = new Client(app);
  rejected.socket.cork();
  rejected.expect('/v1/nothing', BYTES, 100_000).socket.write('\0'.repeat(100_000));
  rejected.socket.uncork();
  await rejected.assertRejected(404, 'unknown route');
});
