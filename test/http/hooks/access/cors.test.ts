import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startService } from '../../../support/start-service.ts';

const file = { after };
const PAGE = 'https://lab.example';
const LOCAL = 'http://localhost:5173';
const IMAGE = '/v1/datasets/fashion-mnist/splits/test/images/0';
const { app } = await startService(file, { CORS_ORIGINS: `${PAGE}, ${LOCAL}` });
const { app: closed } = await startService(file);

const preflight = (origin: string) => ({
  method: 'OPTIONS' as const,
  url: '/v1/training-jobs',
  headers: {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization, content-type',
  },
});

test('without CORS_ORIGINS sends no CORS headers', async () => {
  const asked = await closed.inject({ url: IMAGE, headers: { origin: PAGE } });
  const before = await closed.inject(preflight(PAGE));
  for (const { headers } of [asked, before]) {
    assert.deepEqual(
      Object.keys(headers).filter((name) => name.startsWith('access-control')),
      [],
    );
  }
  assert.equal(before.statusCode, 405);
});

test('an allowed origin can read responses and their headers', async () => {
  for (const origin of [PAGE, LOCAL]) {
    const { headers, statusCode } = await app.inject({ url: IMAGE, headers: { origin } });
    assert.deepEqual([statusCode, headers['access-control-allow-origin']], [200, origin]);
    assert.match(String(headers['access-control-expose-headers']), /X-Request-Id.*X-Class-Name/);
    assert.equal(headers['access-control-allow-credentials'], undefined);
  }
  const refused = await app.inject({ url: '/v1/models/nobody', headers: { origin: PAGE } });
  assert.deepEqual([refused.statusCode, refused.headers['access-control-allow-origin']], [404, PAGE]);
});

test('allows a preflight of a path with a verb', async () => {
  const url = '/v1/models/fashion-mnist:predict';
  const { statusCode, headers } = await app.inject({ ...preflight(PAGE), url });
  assert.deepEqual([statusCode, headers['access-control-allow-origin']], [204, PAGE]);
});

test('another origin cannot read responses', async () => {
  for (const origin of ['https://evil.example', `${PAGE}.evil.example`, 'http://lab.example', 'null']) {
    for (const request of [{ url: IMAGE, headers: { origin } }, preflight(origin)]) {
      assert.equal((await app.inject(request)).headers['access-control-allow-origin'], undefined, origin);
    }
  }
});

test('Vary separates responses by origin and type', async () => {
  const { headers } = await app.inject({ url: IMAGE, headers: { origin: PAGE } });
  assert.equal(headers['vary'], 'Origin, Accept');
  assert.equal((await closed.inject(IMAGE)).headers['vary'], 'Accept');
});

test('a preflight response lists methods and headers', async () => {
  const { headers, statusCode, body } = await app.inject(preflight(PAGE));
  assert.deepEqual([statusCode, body], [204, '']);
  assert.equal(headers['access-control-allow-origin'], PAGE);
  assert.equal(headers['access-control-allow-methods'], 'GET, HEAD, POST, PUT, PATCH, DELETE');
  assert.equal(headers['access-control-allow-headers'], 'authorization, content-type');
  assert.ok(headers['x-request-id']);
});
