import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import Fastify, { type LightMyRequestResponse } from 'fastify';
import { compressResponses } from '../../../src/http/responses/compression.ts';
import { assertProblem, startService, tiny, train } from '../../support/start-service.ts';

const { app } = await startService({ after });
const job = await train(app, tiny({ modelName: 'm' }));

const get = (url: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') =>
  app.inject({ method, url, headers });
const gzip = { 'accept-encoding': 'gzip' };
const predict = (images: number, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url: '/v1/models/m/predictions',
    headers: { 'content-type': 'application/octet-stream', ...headers },
    payload: Buffer.alloc(784 * images),
  });

function assertPlain(response: LightMyRequestResponse, what: string): void {
  assert.equal(response.statusCode, 200, response.body);
  assert.equal(response.headers['content-encoding'], undefined, what);
}

/** @returns the content */
function assertCompressed(response: LightMyRequestResponse, what: string): Buffer {
  assert.equal(response.statusCode, 200, response.body);
  assert.equal(response.headers['content-encoding'], 'gzip', what);
  assert.match(String(response.headers['vary']), /(^|, )Accept-Encoding$/, what);
  const { 'content-length': length } = response.headers;
  if (length !== undefined) assert.equal(Number(length), response.rawPayload.length);
  return gunzipSync(response.rawPayload);
}

test('text of more than 1 KiB is compressed for clients that accept gzip', async () => {
  const texts = [
    '/v1/models/m',
    '/v1/models/m/versions',
    '/v1/training-jobs',
    `/v1/training-jobs/${job.id}`,
    '/v1/models/m/versions/1/export?format=json',
    '/v1/models/m/versions/1/evaluation',
    '/metrics',
    '/openapi.json',
    '/docs/static/swagger-ui.css',
  ];
  for (const url of texts) {
    const plain = await get(url);
    assertPlain(plain, url);
    assert.ok(plain.rawPayload.length >= 1024, url);
    assert.match(String(plain.headers['vary']), /Accept-Encoding$/, 'a cache keeps both variants');
    const compressed = await get(url, gzip);
    const content = assertCompressed(compressed, url);
    // The metrics count the requests themselves.
    if (url !== '/metrics') assert.deepEqual(content, plain.rawPayload, url);
    assert.ok(compressed.rawPayload.length < content.length / 1.5, url);
    assert.equal(compressed.headers['accept-ranges'], undefined, url);
  }
  for (const images of [100, 10_000]) {
    const content = assertCompressed(await predict(images, gzip), `${images} images`);
    assert.deepEqual(content, (await predict(images)).rawPayload);
  }
});

test('small, binary and streamed responses are sent as they are', async () => {
  assertPlain(await predict(1, gzip), 'a small response');
  assertPlain(await get('/health/live', gzip), 'a small response');
  assertPlain(await predict(1000, { ...gzip, accept: 'application/x-npy' }), 'npy');
  for (const url of [
    '/v1/models/m/versions/1/weights?layer=1',
    '/v1/models/m/versions/1/export?format=npz',
    '/v1/models/m/versions/1/export?format=onnx',
  ]) {
    const response = await get(url, gzip);
    assertPlain(response, url);
    assert.doesNotMatch(String(response.headers['vary']), /Accept-Encoding/, url);
  }
  const events = await get(`/v1/training-jobs/${job.id}/events`, { ...gzip, accept: 'text/event-stream' });
  assertPlain(events, 'events');
});

test('the client chooses the encoding', async () => {
  const url = '/v1/models/m';
  for (const accepted of ['gzip', 'br, GZIP;q=0.5', '*', 'gzip, deflate, br, zstd', 'identity;q=0.1, gzip']) {
    assertCompressed(await get(url, { 'accept-encoding': accepted }), accepted);
  }
  for (const accepted of ['', 'br', 'identity', 'gzip;q=0', 'identity, gzip;q=0.5', '*;q=0', 'gzip;Q=0']) {
    assertPlain(await get(url, { 'accept-encoding': accepted }), accepted);
  }
});

test('each encoding has its ETag, and both are known in conditions', async () => {
  for (const url of ['/v1/models/m', '/v1/models/m/versions/1', '/v1/models', '/openapi.json']) {
    const [plain, compressed] = [await get(url), await get(url, gzip)];
    const [tag, other] = [String(plain.headers.etag), String(compressed.headers.etag)];
    assert.equal(other, tag.replace(/"$/, '-gzip"'), url);
    for (const known of [tag, other, `W/${other}`]) {
      const response = await get(url, { ...gzip, 'if-none-match': known });
      assert.deepEqual([response.statusCode, response.payload], [304, ''], url);
      assert.equal(response.headers['content-encoding'], undefined);
      assert.equal(response.headers.etag, known === tag ? tag : other, url);
      const head = await get(url, { ...gzip, 'if-none-match': known }, 'HEAD');
      assert.deepEqual([head.statusCode, head.headers['content-length']], [304, undefined], url);
      for (const { headers } of [response, head]) assert.match(String(headers['vary']), /Accept-Encoding$/);
    }
    const head = await get(url, gzip, 'HEAD');
    assert.deepEqual(
      [head.statusCode, head.headers.etag, Number(head.headers['content-length']), head.payload],
      [200, tag, plain.rawPayload.length, ''],
      url,
    );
    assert.equal(head.headers['vary'], plain.headers['vary'], url);
  }
  const url = '/v1/models/m/versions/1';
  const headers = { 'if-match': String((await get(url, gzip)).headers.etag) };
  const changed = await app.inject({ method: 'PATCH', url, headers, payload: { tags: ['changed'] } });
  assert.equal(changed.statusCode, 200, changed.body);
});

test('ranges are not compressed, and a part of the compressed file is not continued', async () => {
  const url = '/v1/models/m/versions/1/export?format=json';
  const part = await get(url, { ...gzip, range: 'bytes=10-5000' });
  assert.deepEqual(
    [part.statusCode, part.headers['content-encoding'], part.rawPayload.length],
    [206, undefined, 4991],
  );
  const tag = String((await get(url, gzip)).headers.etag);
  const continued = await get(url, { range: 'bytes=10-', 'if-range': tag });
  assert.equal(continued.statusCode, 200);
});

test('problems are compressed, and a repeated request gets its stored response in any encoding', async () => {
  const payload = {
    ...tiny(),
    training: Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`x${n}`, n])),
  };
  const rejected = await app.inject({ method: 'POST', url: '/v1/training-jobs', headers: gzip, payload });
  assert.equal(rejected.headers['content-encoding'], 'gzip');
  const body = gunzipSync(rejected.rawPayload).toString();
  assertProblem(
    { ...rejected, statusCode: rejected.statusCode, headers: rejected.headers, body },
    400,
    'invalid-request',
  );
  const create = (headers: Record<string, string>) =>
    app.inject({
      method: 'POST',
      url: '/v1/training-jobs',
      headers: { 'idempotency-key': 'once', ...headers },
      payload: tiny({ modelName: 'other' }),
    });
  const [first, again] = [await create(gzip), await create({})];
  assert.equal(again.headers['idempotency-replayed'], 'true');
  assert.deepEqual(gunzipSync(first.rawPayload), again.rawPayload);
});

test('text is compressed from 1,024 bytes on, after the hooks of its route', async () => {
  const plain = Fastify();
  compressResponses(plain);
  plain.get<{ Params: { bytes: number } }>('/:bytes', async ({ params }) => 'x'.repeat(params.bytes));
  const grown = Fastify();
  compressResponses(grown);
  const append = async (_request: unknown, _reply: unknown, payload: unknown) => `${payload}y`;
  grown.get('/', { onSend: append }, async () => 'x'.repeat(1023));
  assert.equal((await plain.inject({ url: '/1023', headers: gzip })).body, 'x'.repeat(1023));
  for (const [app, url, expected] of [
    [plain, '/1024', 'x'.repeat(1024)],
    [grown, '/', `${'x'.repeat(1023)}y`],
  ] as const) {
    assert.equal(assertCompressed(await app.inject({ url, headers: gzip }), url).toString(), expected);
  }
});
