import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import type { FastifyInstance, InjectOptions } from 'fastify';
import type { Scope } from '../../../../src/domain/api-key.ts';
import { type ApiKey, formatApiKey, generateKey, sha256Bytes } from '../../../../src/domain/api-key.ts';
import { assertProblem, startService, testImage, tiny } from '../../../support/start-service.ts';

const secrets = {
  reader: generateKey(),
  trainer: generateKey(),
  owner: generateKey(),
  odd: 'schlüssel mit: allem',
};
const entry = (name: keyof typeof secrets, ...scopes: Scope[]): ApiKey => ({
  name,
  scopes,
  digest: sha256Bytes(secrets[name]),
});
const API_KEYS = [
  entry('reader', 'predict'),
  entry('trainer', 'train'),
  entry('owner', 'predict', 'admin'),
  entry('odd', 'predict'),
]
  .map(formatApiKey)
  .join();
const { app } = await startService({ after }, { API_KEYS, PUBLIC_DOCS: 'false', PUBLIC_METRICS: 'false' });

/** A route that every scope permits, and one that requires `train`. */
const READ = { url: '/v1/models' };
const TRAIN = { method: 'POST', url: '/v1/training-jobs', payload: tiny() } as const;

function call(request: InjectOptions, authorization?: string, to: FastifyInstance = app) {
  return to.inject({ ...request, headers: { ...request.headers, ...(authorization && { authorization }) } });
}
const bearer = (name: keyof typeof secrets) => `Bearer ${secrets[name]}`;

test('without a key gives 401 with a challenge and does nothing', async () => {
  for (const request of [
    READ,
    TRAIN,
    { url: '/openapi.json' },
    { url: '/llms.txt' },
    { url: '/docs' },
    { url: '/docs/json' },
  ]) {
    const response = await call(request);
    assertProblem(response, 401, 'unauthenticated');
    assert.equal(response.headers['www-authenticate'], 'Bearer realm="atelier"');
  }
  const { data } = (await call({ url: '/v1/training-jobs' }, bearer('owner'))).json();
  assert.deepEqual(data, []);
});

test('rejects a nearly correct key without repeating it', async () => {
  const { reader } = secrets;
  const wrong = [
    reader.slice(0, -1),
    `${reader}x`,
    reader.toUpperCase(),
    generateKey(),
    `${reader} ${reader}`,
  ];
  for (const sent of wrong) {
    const response = await call(READ, `Bearer ${sent}`);
    assertProblem(response, 401, 'unauthenticated');
    assert.equal(response.headers['www-authenticate'], 'Bearer realm="atelier", error="invalid_token"');
    assert.ok(!response.body.includes(sent.slice(0, 12)));
  }
});

test('treats credentials other than a bearer token as a missing key', async () => {
  for (const sent of [secrets.reader, 'Bearer', `Basic ${secrets.reader}`, `Bearer${secrets.reader}`]) {
    const response = await call(READ, sent);
    assertProblem(response, 401, 'unauthenticated');
    assert.equal(response.headers['www-authenticate'], 'Bearer realm="atelier"');
  }
});

test('accepts the scheme in any case, and any key that a header can carry', async () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER ']) {
    assert.equal((await call(READ, `${scheme} ${secrets.reader}`)).statusCode, 200, scheme);
  }
  // curl sends the UTF-8 bytes of the key.
  const sent = Buffer.from(secrets.odd).toString('latin1');
  assert.equal((await call(READ, `Bearer ${sent}`)).statusCode, 200);
});

test('admin includes train, train includes predict, and a 403 names the missing scope', async () => {
  assert.equal((await call(READ, bearer('trainer'))).statusCode, 200);
  for (const name of ['trainer', 'owner'] as const) {
    const response = await call(TRAIN, bearer(name));
    assert.equal(response.statusCode, 202, response.body);
    const cancelled = { method: 'POST', url: `${response.headers.location}/cancel` } as const;
    assertProblem(await call(cancelled, bearer('reader')), 403, 'forbidden');
    assert.ok([202, 409].includes((await call(cancelled, bearer(name))).statusCode));
  }
  const response = await call(TRAIN, bearer('reader'));
  const { detail } = assertProblem(response, 403, 'forbidden');
  assert.match(detail, /needs the scope train; the key reader has predict/);
  assert.equal(
    response.headers['www-authenticate'],
    'Bearer realm="atelier", error="insufficient_scope", scope="train"',
  );
});

test('health and unknown paths need no key', async () => {
  assert.equal((await call({ url: '/health/live' })).statusCode, 200);
  assert.equal((await call({ url: '/health/ready' }, 'Bearer nonsense')).statusCode, 200);
  assertProblem(await call({ url: '/v1/nothing' }), 404, 'route-not-found');
});

test('docs need a key of any scope, or no key with PUBLIC_DOCS', async (t) => {
  for (const url of ['/openapi.json', '/llms.txt', '/docs', '/docs/json', '/docs/static/swagger-ui.css']) {
    assert.equal((await call({ url }, bearer('reader'))).statusCode, 200, url);
  }
  const open = await startService(t, { API_KEYS, PUBLIC_DOCS: 'true' });
  assert.equal((await call({ url: '/docs' }, undefined, open.app)).statusCode, 200);
  assertProblem(await call(READ, undefined, open.app), 401, 'unauthenticated');
});

test('a client that sends 10 MB with a wrong key receives the response', async (t) => {
  const { app: listening } = await startService(t, { API_KEYS });
  const base = await listening.listen({ port: 0, host: '127.0.0.1' });
  for (const authorization of ['', 'Bearer wrong']) {
    const response = await fetch(`${base}/v1/models/fashion-mnist/predictions`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/octet-stream' },
      body: new Uint8Array(10 * 2 ** 20),
    });
    assert.equal(response.status, 401);
    assert.equal(((await response.json()) as { code: string }).code, 'unauthenticated');
  }
});

test('a rejected body does not occupy a slot for large bodies', async () => {
  const url = '/v1/models/nobody/predictions';
  const headers = { 'content-type': 'application/octet-stream' };
  const payload = Buffer.alloc(300 * 1024);
  const statuses = Array.from({ length: 20 }, async () => {
    return (await app.inject({ method: 'POST', url, headers, payload })).statusCode;
  });
  assert.deepEqual(new Set(await Promise.all(statuses)), new Set([401]));
});

test('without keys, a service on a loopback address is open', async (t) => {
  const { app: open } = await startService(t);
  assert.equal((await call(READ, undefined, open)).statusCode, 200);
  assert.equal((await call(READ, 'Bearer whatever', open)).statusCode, 200);
  assert.equal((await testImage(open, 0)).length, 784);
});

async function exhaust(t: TestContext, environment: Record<string, string>, authorization?: string) {
  const limited = (await startService(t, { RATE_LIMIT_PER_MINUTE: '3', ...environment })).app;
  const statuses: number[] = [];
  for (let sent = 0; sent < 3; sent++) {
    const { statusCode, headers } = await call(READ, authorization, limited);
    statuses.push(statusCode);
    assert.deepEqual([headers['ratelimit-limit'], headers['ratelimit-remaining']], ['3', String(2 - sent)]);
  }
  const refused = await call(READ, authorization, limited);
  const { detail } = assertProblem(refused, 429, 'rate-limited');
  const seconds = Number(refused.headers['retry-after']);
  assert.ok(seconds >= 1 && seconds <= 60, String(seconds));
  assert.equal(refused.headers['ratelimit-remaining'], '0');
  return { limited, statuses, detail };
}

test('limits requests per minute separately for each key', async (t) => {
  const { limited, statuses, detail } = await exhaust(t, { API_KEYS }, bearer('reader'));
  assert.deepEqual(statuses, [200, 200, 200]);
  assert.match(detail, /3 requests per minute for the key reader/);
  assert.equal((await call(READ, bearer('owner'), limited)).statusCode, 200);
  assert.equal((await call({ url: '/health/live' }, undefined, limited)).statusCode, 200);
});

test('counts wrong keys by address, without locking out valid keys', async (t) => {
  const { limited, statuses, detail } = await exhaust(t, { API_KEYS }, 'Bearer wrong');
  assert.deepEqual(statuses, [401, 401, 401]);
  assert.match(detail, /your address/);
  assertProblem(await call(READ, undefined, limited), 429, 'rate-limited');
  assert.equal((await call(READ, bearer('reader'), limited)).statusCode, 200);
});

test('without keys, limits requests per minute by address', async (t) => {
  const { limited, statuses } = await exhaust(t, {});
  assert.deepEqual(statuses, [200, 200, 200]);
  const elsewhere = await call({ ...READ, remoteAddress: '192.0.2.7' }, undefined, limited);
  assert.equal(elsewhere.statusCode, 200);
});

/** The number of the request that is rejected with 429, of requests through a proxy on 127.0.0.1. */
async function countUntilLimit(app: FastifyInstance, request: InjectOptions, forwardedFor: string) {
  const headers = { ...request.headers, 'x-forwarded-for': forwardedFor };
  for (let sent = 1; ; sent++) {
    if ((await app.inject({ ...request, headers })).statusCode === 429) return sent;
  }
}

test('with TRUST_PROXY, limits and wrong keys count by the address that the proxy names', async (t) => {
  const wrong = { ...READ, headers: { authorization: 'Bearer wrong' } };
  for (const TRUST_PROXY of ['127.0.0.1', '127.0.0.0/8, ::1', '1']) {
    for (const [request, access] of [
      [READ, { ALLOW_ANONYMOUS: 'true' }],
      [wrong, { API_KEYS }],
    ] as const) {
      const environment = { RATE_LIMIT_PER_MINUTE: '3', TRUST_PROXY, ...access };
      const { app: limited } = await startService(t, environment);
      assert.equal(await countUntilLimit(limited, request, '192.0.2.1'), 4);
      assert.equal(await countUntilLimit(limited, request, '192.0.2.2'), 4);
      // The client itself sent the first address.
      assert.equal(await countUntilLimit(limited, request, '198.51.100.1, 192.0.2.1'), 1);
    }
  }
});

test('without TRUST_PROXY, or from another address, X-Forwarded-For is ignored', async (t) => {
  for (const TRUST_PROXY of ['', '192.0.2.9']) {
    const environment = { RATE_LIMIT_PER_MINUTE: '3', ALLOW_ANONYMOUS: 'true', TRUST_PROXY };
    const { app: limited } = await startService(t, environment);
    assert.equal(await countUntilLimit(limited, READ, '192.0.2.1'), 4);
    assert.equal(await countUntilLimit(limited, READ, '192.0.2.2'), 1);
  }
});
