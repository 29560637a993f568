/** KServe v2 server and errors: https://github.com/kserve/open-inference-protocol */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { formatApiKey, generateKey, sha256Bytes } from '../../../../../src/domain/api-key.ts';
import { endless, isUnderway, queueJob, startService, untilJob } from '../../../../support/start-service.ts';
import { startTrained } from './fixtures.ts';
import { assertError, inferJson } from './triton-client.ts';

const { app } = await startTrained({ after }, { MAX_BODY_BYTES: String(2 ** 20) });
const INFER = '/v2/models/fashion-mnist/infer';

test('GET v2 and v2/ return name, version and extensions', async () => {
  for (const url of ['/v2', '/v2/']) {
    const response = await app.inject(url);
    assert.equal(response.statusCode, 200);
    const { name, version, extensions, ...rest } = response.json();
    assert.deepEqual([name, rest], ['atelier', {}]);
    assert.match(version, /^\d+\.\d+\.\d+$/);
    assert.deepEqual(extensions, [
      'binary_tensor_data',
      'classification',
      'model_configuration',
      'model_repository',
      'statistics',
    ]);
  }
});

test('live returns {"live": true}, ready {"ready": true, "live": true}', async () => {
  const live = await app.inject('/v2/health/live');
  assert.deepEqual([live.statusCode, live.json()], [200, { live: true }]);
  const ready = await app.inject('/v2/health/ready');
  assert.deepEqual([ready.statusCode, ready.json()], [200, { ready: true, live: true }]);
});

test('during shutdown the service is live, not ready (503), and rejects everything else with 503', async (t) => {
  const service = await startService(t);
  const job = await queueJob(service.app, endless);
  await untilJob(service.app, job.id, isUnderway);
  const closed = service.close();
  const urls = ['/v2/health/live', '/v2/health/ready', '/v2/models/fashion-mnist'];
  const [live, ready, refused] = await Promise.all(urls.map((url) => service.app.inject(url)));
  assert.deepEqual([live!.statusCode, live!.json()], [200, { live: true }]);
  assert.deepEqual([ready!.statusCode, ready!.json()], [503, { ready: false, live: true }]);
  assertError(refused!, 503, /shutting down/);
  assert.match(String(refused!.headers['retry-after']), /^\d+$/);
  await closed;
});

for (const [title, status, request] of [
  ['a path that there is not', 404, { url: '/v2/nothing' }],
  ['a path that is deep and not there', 404, { method: 'POST', url: '/v2/models/a/b/c/d' }],
  ['a model that there is not', 404, { url: '/v2/models/nope' }],
  ['a name that no model can have', 404, { url: '/v2/models/No%20Such%2FModel/ready' }],
  ['a version that there is not', 404, { url: '/v2/models/fashion-mnist/versions/7' }],
  ['a version that is no version', 404, { url: '/v2/models/fashion-mnist/versions/0x1/ready' }],
  ['an unknown model to infer', 404, { method: 'POST', url: '/v2/models/nope/infer', payload: '{}' }],
  ['a path that cannot be decoded', 400, { url: '/v2/models/%zz' }],
  ['a name that is too long', 404, { url: `/v2/models/${'x'.repeat(300)}` }],
  ['another method', 405, { method: 'GET', url: INFER }],
  ['another method on the server', 405, { method: 'DELETE', url: '/v2' }],
  [
    'a body of another type',
    415,
    { method: 'POST', url: INFER, headers: { 'content-type': 'text/plain' }, payload: 'x' },
  ],
  [
    'an encoding that is not taken',
    415,
    { method: 'POST', url: INFER, headers: { 'content-encoding': 'br' }, payload: 'x' },
  ],
  [
    'an encoding where none is taken',
    415,
    { method: 'POST', url: '/v2/repository/index', headers: { 'content-encoding': 'gzip' }, payload: 'x' },
  ],
  ['a body that is too large', 413, { method: 'POST', url: INFER, payload: Buffer.alloc(2 ** 20 + 1) }],
  ['no body', 400, { method: 'POST', url: INFER }],
  ['invalid JSON', 400, { method: 'POST', url: INFER, payload: '{"inputs":' }],
  ['an expectation', 417, { url: '/v2', headers: { expect: 'the-unexpected' } }],
] as const) {
  test(`${title} gives ${status} with {"error": "text"}`, async () => {
    const { payload, ...rest } = { payload: undefined, ...request };
    assertError(
      await app.inject({ ...rest, ...(payload !== undefined && { payload: Buffer.from(payload) }) }),
      status,
    );
  });
}

test('a wrong method gives 405 with the allowed ones', async () => {
  assert.equal((await app.inject(INFER)).headers['allow'], 'POST');
});

test('keys: 401 without one, 403 without the scope, health is open, predict suffices for the rest', async (t) => {
  const key = generateKey();
  const API_KEYS = formatApiKey({ name: 'reader', scopes: ['predict'], digest: sha256Bytes(key) });
  const { app: keyed } = await startService(t, { API_KEYS });
  for (const url of ['/v2/health/live', '/v2/health/ready']) {
    assert.equal((await keyed.inject(url)).statusCode, 200);
  }
  const anonymous = await keyed.inject('/v2');
  assertError(anonymous, 401);
  assert.match(String(anonymous.headers['www-authenticate']), /^Bearer/);
  assertError(await inferJson(keyed, {}), 401);
  const headers = { authorization: `Bearer ${key}` };
  assert.equal((await keyed.inject({ url: '/v2', headers })).statusCode, 200);
  const index = await keyed.inject({ method: 'POST', url: '/v2/repository/index', headers });
  assert.deepEqual([index.statusCode, index.json()], [200, []]);
  assertError(
    await keyed.inject({ method: 'POST', url: '/v2/repository/models/a/load', headers }),
    403,
    /scope admin/,
  );
});

test('too many requests give 429 with {"error": "text"}', async (t) => {
  const { app: limited } = await startService(t, { RATE_LIMIT_PER_MINUTE: '1' });
  assert.equal((await limited.inject('/v2')).statusCode, 200);
  const refused = await limited.inject('/v2');
  assertError(refused, 429);
  assert.match(String(refused.headers['retry-after']), /^\d+$/);
});
