/**
 * KServe's client reads the text of an error only if the content type is exactly `application/json`
 * (kserve/inference_client.py, _construct_http_status_error), so that is what the other protocols respond with.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import type { InjectOptions } from 'fastify';
import { readConfig } from '../../../../src/config/read.ts';
import { formatApiKey, generateKey, sha256Bytes } from '../../../../src/domain/api-key.ts';
import { buildApp } from '../../../../src/http/app.ts';
import type { Services } from '../../../../src/http/services.ts';
import { bindServer } from '../../../../src/http/starting-server.ts';
import { startService } from '../../../support/start-service.ts';
import { startTrained } from './kserve-v2/fixtures.ts';

const { app, images } = await startTrained({ after });
const image = images[0]!;
const many = (count: number) => new Array<number[]>(count).fill(image);
const v2 = (count: number) => ({
  inputs: [{ name: 'image', shape: [count, 784], datatype: 'UINT8', data: many(count) }],
});
const post = (url: string, body: object): InjectOptions => ({
  method: 'POST',
  url,
  headers: { 'content-type': 'application/json' },
  payload: JSON.stringify(body),
});
const M = 'fashion-mnist';

/** The requests whose responses and errors a client of another protocol meets; 1,000 images go to a thread. */
const REQUESTS: readonly (readonly [status: number, request: InjectOptions])[] = [
  ...['', '/', '/health/live', '/health/ready', `/models/${M}`, `/models/${M}/ready`, `/models/${M}/stats`]
    .concat([`/models/${M}/versions/1`, '/models/stats'])
    .map((path) => [200, { url: `/v2${path}` }] as const),
  [200, { method: 'POST', url: '/v2/repository/index' }],
  [200, { url: `/v2/models/${M}/config` }],
  [200, { url: '/' }],
  [200, { url: `/v1/models/${M}/metadata` }],
  [200, post(`/v1/models/${M}:explain`, { instances: [image] })],
  [400, post(`/v1/models/${M}:explain`, { instances: [] })],
  [503, { method: 'POST', url: `/v2/repository/models/${M}/load` }],
  ...[1, 1000].flatMap((count) => [
    [200, post(`/v2/models/${M}/infer`, v2(count))] as const,
    [200, post(`/v1/models/${M}:predict`, { instances: many(count) })] as const,
    [200, post('/invocations', { instances: many(count) })] as const,
    [400, badInfer(count)] as const,
    [400, post(`/v1/models/${M}:predict`, { instances: bad(count) })] as const,
    [400, post('/invocations', { instances: bad(count) })] as const,
  ]),
  [404, { url: '/v2/nothing' }],
  [404, { url: '/v2/models/nope' }],
  [404, { url: `/v2/models/${'x'.repeat(300)}` }],
  [400, { url: '/v2/models/%zz' }],
  [400, { method: 'POST', url: '/v1/models/%zz:predict' }],
  [404, post('/v1/models/nope:predict', {})],
  [404, post(`/v1/models/${M}:nothing`, {})],
  [404, post(`/v1/models/${M}/versions/9:predict`, { instances: [image] })],
  [404, post('/invocations?model=nope', { instances: [image] })],
  [
    400,
    { method: 'POST', url: '/invocations', headers: { 'content-type': 'application/json' }, payload: '{' },
  ],
  [405, { url: `/v2/models/${M}/infer` }],
  [405, { url: `/v1/models/${M}:predict` }],
  [405, { method: 'PUT', url: '/invocations' }],
  [415, { ...post(`/v2/models/${M}/infer`, {}), headers: { 'content-type': 'text/plain' } }],
  [417, { url: '/v2', headers: { expect: 'the-unexpected' } }],
];

function bad(count: number): number[][] {
  return [...many(count - 1), image.with(0, 256)];
}

function badInfer(count: number): InjectOptions {
  const inputs = [{ name: 'image', shape: [count, 784], datatype: 'UINT16', data: bad(count) }];
  return post(`/v2/models/${M}/infer`, { inputs });
}

test('every response and error of the other protocols is exactly application/json', async () => {
  for (const [status, options] of REQUESTS) {
    const { statusCode, headers, body } = await app.inject(options);
    const name = `${options.method ?? 'GET'} ${options.url}`;
    assert.deepEqual([statusCode, headers['content-type']], [status, 'application/json'], `${name} ${body}`);
    JSON.parse(body);
  }
});

test('401, 403, 429 and the 503 of a shutdown have the content type of the protocol', async (t) => {
  const key = generateKey();
  const API_KEYS = formatApiKey({ name: 'reader', scopes: ['predict'], digest: sha256Bytes(key) });
  const { app: keyed } = await startService(t, { API_KEYS });
  const { app: limited } = await startService(t, { RATE_LIMIT_PER_MINUTE: '1' });
  await limited.inject('/v2');
  const headers = { authorization: `Bearer ${key}` };
  const health = {
    accepting: () => false,
    check: async () => ({ ready: false, checks: { database: true, datasets: true, accepting: false } }),
  };
  // The services of other routes are not read while the service stops.
  const services = { health, metrics: { requestDuration() {} } } as unknown as Services;
  const stopping = await buildApp(services, readConfig({}));
  t.after(() => stopping.close());
  const load = { method: 'POST', url: '/v2/repository/models/a/load', headers } as const;
  const responses = [
    [401, await keyed.inject('/v2')],
    [401, await keyed.inject(post(`/v1/models/${M}:predict`, {}))],
    [401, await keyed.inject(post('/invocations', {}))],
    [403, await keyed.inject(load)],
    [429, await limited.inject('/v2')],
    [200, await stopping.inject('/')],
    [503, await stopping.inject('/v2')],
    [503, await stopping.inject('/v2/health/ready')],
    [503, await stopping.inject(post('/v1/models/x:predict', {}))],
  ] as const;
  for (const [status, response] of responses) {
    assert.equal(response.statusCode, status, response.body);
    assert.equal(response.headers['content-type'], 'application/json');
  }
});

test('responses during the start have the content type of the protocol', async (t) => {
  const { server, port } = await bindServer({
    host: '127.0.0.1',
    port: 0,
    basePath: '',
    reusePort: false,
    corsOrigins: [],
  });
  t.after(() => server.close());
  for (const [url, type] of [
    ['/v2', 'application/json'],
    ['/v2/health/live', 'application/json'],
    ['/v2/health/ready', 'application/json'],
    [`/v1/models/${M}:predict`, 'application/json'],
    ['/ping', 'application/json'],
    ['/health/live', 'application/json; charset=utf-8'],
  ] as const) {
    const response = await fetch(`http://127.0.0.1:${port}${url}`);
    await response.arrayBuffer();
    assert.equal(response.headers.get('content-type'), type, url);
  }
});

test('native routes and their errors keep the charset', async () => {
  for (const [url, type] of [
    ['/v1/models', 'application/json; charset=utf-8'],
    ['/health/ready', 'application/json; charset=utf-8'],
    ['/v1/models/nope', 'application/problem+json; charset=utf-8'],
    ['/nothing', 'application/problem+json; charset=utf-8'],
  ]) {
    assert.equal((await app.inject(url!)).headers['content-type'], type, url);
  }
});

test('a verb with another method gives 405 with the allowed one, not a missing model', async () => {
  for (const path of [
    `${M}:predict`,
    `${M}%3Apredict`,
    `${M}/versions/1:predict`,
    `${M}/labels/champion:predict`,
  ]) {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const) {
      const response = await app.inject({ method, url: `/v1/models/${path}` });
      assert.deepEqual([response.statusCode, response.headers.allow], [405, 'POST'], `${method} ${path}`);
      assert.match(response.json().error, /does not support .* Allowed methods: POST/);
    }
    assert.equal((await app.inject({ method: 'HEAD', url: `/v1/models/${path}` })).statusCode, 405);
  }
});

test('OPTIONS * lists the methods of the service', async () => {
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const [{ statusCode, headers }] = await once(
    request({ host: '127.0.0.1', port, method: 'OPTIONS', path: '*' }).end(),
    'response',
  );
  assert.equal(statusCode, 204);
  assert.deepEqual(headers.allow.split(', ').sort(), ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT']);
});
