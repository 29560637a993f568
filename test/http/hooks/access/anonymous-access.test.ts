import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { InjectOptions } from 'fastify';
import openapi from '../../../../openapi/openapi.json' with { type: 'json' };
import { formatApiKey, generateKey, sha256Bytes } from '../../../../src/domain/api-key.ts';
import { assertProblem, startService, tiny } from '../../../support/start-service.ts';

const PAGE = 'https://lab.example';
const EVIL = 'https://evil.example';
const READ = { url: '/v1/models' } as const;
const WRITE = { method: 'POST', url: '/v1/training-jobs', payload: tiny() } as const;
const PROBES = ['/health/live', '/health/ready', '/ping', '/health', '/v2/health/live', '/v2/health/ready'];
const FORWARDED = {
  forwarded: 'for=192.0.2.1',
  'x-forwarded-for': '192.0.2.1',
  'x-forwarded-host': 'lab.example',
  'x-forwarded-proto': 'https',
  'x-real-ip': '192.0.2.1',
  via: '1.1 proxy',
};

const { app } = await startService({ after }, { CORS_ORIGINS: PAGE, ALLOWED_HOSTS: 'Atelier.example' });

const send = (request: InjectOptions, headers: Record<string, string>, to = app) =>
  to.inject({ ...request, headers });

test('without keys accepts the names of this machine and of ALLOWED_HOSTS, with any port', async () => {
  const names = ['localhost', '127.0.0.1', '[::1]', 'atelier.example', 'ATELIER.example'];
  for (const host of names.flatMap((name) => [name, `${name}:3000`, `${name}:80`])) {
    // The second request takes the fast path.
    for (const _ of [1, 2]) assert.equal((await send(READ, { host })).statusCode, 200, host);
  }
});

test('without keys rejects every other host, as after DNS rebinding', async () => {
  const hosts = [
    'evil.example',
    'evil.example:3000',
    'localhost.evil.example',
    'localhost:80:80',
    'x@localhost',
    '10.0.0.1',
  ];
  for (const host of hosts) {
    for (const request of [READ, WRITE, { url: '/openapi.json' }, { url: '/docs' }]) {
      const { detail } = assertProblem(await send(request, { host }), 403, 'host-not-allowed');
      assert.ok(detail.includes(`"${host}"`) && /ALLOWED_HOSTS.*API_KEYS/.test(detail), detail);
    }
  }
  // More hosts than are remembered.
  for (let port = 0; port < 200; port++) {
    assert.equal((await send(READ, { host: `localhost:${port}` })).statusCode, 200);
  }
});

test('health probes and metrics accept every host', async () => {
  for (const url of [...PROBES, '/metrics']) {
    assert.equal((await send({ url }, { host: '10.1.2.3:3000' })).statusCode, 200, url);
  }
});

test('without keys a page of another origin cannot change anything', async () => {
  const pages: Record<string, string>[] = [
    { origin: EVIL },
    { origin: EVIL, 'sec-fetch-site': 'cross-site' },
    { origin: 'null' },
    { origin: 'http://localhost:5173', 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: `${PAGE}.evil.example` },
    { host: 'localhost:3000', origin: 'https://localhost:3000' },
  ];
  const writes: InjectOptions[] = [
    WRITE,
    { method: 'POST', url: '/v1/models' },
    { method: 'POST', url: '/v1/training-jobs/job_1/cancel' },
    { method: 'PUT', url: '/v1/models/m/aliases/a', payload: { version: 1 } },
    { method: 'PATCH', url: '/v1/models/m/versions/1', payload: {} },
    { method: 'DELETE', url: '/v1/models/m' },
  ];
  for (const headers of pages) {
    for (const request of writes) {
      const { detail } = assertProblem(await send(request, headers), 403, 'cross-site-request');
      assert.ok(
        detail.includes(headers['origin'] ?? 'another origin') && detail.includes('CORS_ORIGINS'),
        detail,
      );
    }
    assert.equal((await send(READ, headers)).statusCode, 200);
  }
  assert.deepEqual((await app.inject('/v1/training-jobs')).json().data, []);
});

/**
 * Reads that can store something, as their status 507 shows, and those that evaluate or train. The result of a prediction
 * job is stored for its download only.
 */
const CHANGING_READS = Object.entries(openapi.paths as Record<string, { get?: { responses: object } }>)
  .filter(([path, { get }]) => get && ('507' in get.responses || /\/(path|card)$/.test(path)))
  .map(([path]) => path.replace('{plot}', 'roc').replace(/\{\w+\}/g, '1'))
  .filter((path) => path !== '/v1/prediction-jobs/1/result')
  .map((path) => ({ url: path.endsWith('/export') ? `${path}?format=onnx&calibrated=true` : path }));

test('without keys a page of another origin cannot count a look or start a computation by reading', async () => {
  assert.equal(CHANGING_READS.length, 11, JSON.stringify(CHANGING_READS));
  const navigation = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-user': '?1' };
  for (const request of CHANGING_READS) {
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', ...navigation },
    ]) {
      for (const method of ['GET', 'HEAD'] as const) {
        const response = await send({ ...request, method }, { ...headers, referer: `${EVIL}/` });
        assert.equal(response.statusCode, 403, `${method} ${request.url}`);
        if (method === 'HEAD') continue;
        const { detail } = assertProblem(response, 403, 'cross-site-request');
        assert.ok(
          detail.includes(`page of ${EVIL} `) && /paste the address.*CORS_ORIGINS/.test(detail),
          detail,
        );
      }
    }
    // A page of CORS_ORIGINS that links to it or embeds it, an address that was typed, and a program.
    const page = { 'sec-fetch-site': 'cross-site', referer: `${PAGE}/wiki/page` };
    for (const headers of [page, { 'sec-fetch-site': 'none', ...navigation }, {}] as const) {
      assert.notEqual((await send(request, headers)).statusCode, 403, request.url);
    }
  }
  const exported = { url: '/v1/models/1/versions/1/export?format=onnx' };
  assertProblem(await send(exported, { 'sec-fetch-site': 'cross-site' }), 404, 'model-not-found');
});

test('a page of this origin or of CORS_ORIGINS, and a client that is not a browser, can write', async () => {
  const request = { method: 'DELETE', url: '/v1/models/nothing' } as const;
  const accepted: Record<string, string>[] = [
    {},
    { 'sec-fetch-site': 'none' },
    { host: 'localhost:3000', origin: 'http://localhost:3000', 'sec-fetch-site': 'same-origin' },
    { host: 'atelier.example', origin: 'http://atelier.example' },
    { host: 'atelier.example', origin: 'https://atelier.example', 'sec-fetch-site': 'same-origin' },
    { origin: PAGE, 'sec-fetch-site': 'cross-site' },
  ];
  for (const headers of accepted) assertProblem(await send(request, headers), 404, 'model-not-found');
});

test('the scheme of an origin is the one that a trusted proxy states', async (t) => {
  const { app: proxied } = await startService(t, { ALLOW_ANONYMOUS: 'true', TRUST_PROXY: '127.0.0.1' });
  const request = { method: 'DELETE', url: '/v1/models/nothing' } as const;
  const headers = { host: 'localhost', 'x-forwarded-proto': 'https' };
  const same = await send(request, { ...headers, origin: 'https://localhost' }, proxied);
  assertProblem(same, 404, 'model-not-found');
  const other = await send(request, { ...headers, origin: 'http://localhost' }, proxied);
  assertProblem(other, 403, 'cross-site-request');
});

test('other protocols reject in their own error format', async () => {
  const headers = { origin: EVIL };
  const infer = await send({ method: 'POST', url: '/v2/models/m/infer', payload: {} }, headers);
  const predict = await send({ method: 'POST', url: '/v1/models/m:predict', payload: {} }, headers);
  for (const response of [infer, predict]) {
    assert.equal(response.statusCode, 403);
    assert.match(response.json().error, /CORS_ORIGINS/);
  }
  const invoked = await send({ method: 'POST', url: '/invocations', payload: {} }, headers);
  assert.deepEqual([invoked.statusCode, invoked.json().error_code], [403, 'PERMISSION_DENIED']);
});

test('without keys rejects requests through a proxy, except health', async () => {
  for (const [name, value] of Object.entries(FORWARDED)) {
    for (const request of [READ, WRITE, { url: '/metrics' }]) {
      const { detail } = assertProblem(await send(request, { [name]: value }), 403, 'keys-required');
      assert.ok(detail.includes(name) && /API_KEYS.*ALLOW_ANONYMOUS/.test(detail), detail);
    }
    for (const url of PROBES) assert.equal((await send({ url }, { [name]: value })).statusCode, 200, url);
  }
});

test('ALLOW_ANONYMOUS permits proxies, and beyond loopback every host, but no page of another origin', async (t) => {
  const { app: open } = await startService(t, { ALLOW_ANONYMOUS: 'true', HOST: '0.0.0.0' });
  assert.equal((await send(READ, { ...FORWARDED, host: 'lab.example' }, open)).statusCode, 200);
  assertProblem(await send(WRITE, { host: 'lab.example', origin: EVIL }, open), 403, 'cross-site-request');

  const { app: local } = await startService(t, { ALLOW_ANONYMOUS: 'true' });
  assert.equal((await send(READ, FORWARDED, local)).statusCode, 200);
  assertProblem(await send(READ, { host: 'evil.example' }, local), 403, 'host-not-allowed');
});

test('beyond loopback, ALLOWED_HOSTS restricts the hosts', async (t) => {
  const environment = { ALLOW_ANONYMOUS: 'true', HOST: '0.0.0.0', ALLOWED_HOSTS: 'lab.example' };
  const { app: named } = await startService(t, environment);
  assert.equal((await send(READ, { host: 'lab.example:8080' }, named)).statusCode, 200);
  assertProblem(await send(READ, { host: 'evil.example' }, named), 403, 'host-not-allowed');
  for (const url of [...PROBES, '/metrics']) {
    assert.equal((await send({ url }, { host: '10.1.2.3:3000' }, named)).statusCode, 200, url);
  }
});

test('with keys, hosts, origins and proxies are not checked', async (t) => {
  const key = generateKey();
  const API_KEYS = formatApiKey({ name: 'ci', scopes: ['admin'], digest: sha256Bytes(key) });
  const { app: keyed } = await startService(t, { API_KEYS });
  const headers = { ...FORWARDED, host: 'evil.example', origin: EVIL, 'sec-fetch-site': 'cross-site' };
  assertProblem(await send(WRITE, headers, keyed), 401, 'unauthenticated');
  const accepted = await send(WRITE, { ...headers, authorization: `Bearer ${key}` }, keyed);
  assert.equal(accepted.statusCode, 202, accepted.body);
});
