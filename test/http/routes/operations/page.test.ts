import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { formatApiKey, generateKey, sha256Bytes } from '../../../../src/domain/api-key.ts';
import { assertProblem, startService } from '../../../support/start-service.ts';

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const FIREFOX = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
const BASE_PATH = '/lab';

const API_KEYS = formatApiKey({ name: 'ci', scopes: ['predict'], digest: sha256Bytes(generateKey()) });
const { app } = await startService({ after }, { DATASETS: 'none', API_KEYS, BASE_PATH });
const get = (url: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') =>
  app.inject({ method, url, headers });

test('browsers get the page at / without a key, and other clients get its liveness', async () => {
  for (const accept of [
    FIREFOX,
    'text/html',
    'text/html;charset=utf-8',
    'text/*',
    'application/json;q=0.5, text/html',
  ]) {
    const { statusCode, headers, body } = await get('/', { accept });
    assert.equal(statusCode, 200, accept);
    assert.equal(headers['content-type'], 'text/html; charset=utf-8', accept);
    assert.match(String(headers['vary']), /^Accept(,|$)/, accept);
    assert.equal(headers['content-security-policy'], POLICY);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.match(body, /<link rel="stylesheet" href="page.css"/);
    assert.match(body, /<script type="module" src="page.js">/);
  }
  for (const accept of [
    '*/*',
    'application/json',
    'image/png',
    'text/html;q=0.5, application/json',
    'text/html;q=0',
  ]) {
    const response = await get('/', { accept });
    assert.deepEqual(response.json(), { status: 'alive' }, accept);
    assert.equal(response.headers['content-type'], 'application/json', accept);
    assert.equal(response.headers['vary'], 'Accept');
  }
  assertProblem(await get('/v1/models', { accept: FIREFOX }), 401, 'unauthenticated');
});

test('the files of the page are revalidated by ETag and compressed', async () => {
  for (const [url, type] of [
    ['/', 'text/html'],
    ['/page.js', 'text/javascript'],
    ['/page-screens.js', 'text/javascript'],
    ['/page.css', 'text/css'],
  ] as const) {
    const whole = await get(url, { accept: FIREFOX });
    assert.equal(whole.headers['content-type'], `${type}; charset=utf-8`);
    assert.equal(whole.headers['cache-control'], 'private, no-cache');
    const etag = String(whole.headers.etag);
    assert.match(etag, /^"[\w-]+"$/);
    const known = await get(url, { accept: FIREFOX, 'if-none-match': etag });
    assert.deepEqual([known.statusCode, known.body, known.headers.etag], [304, '', etag]);
    const head = await get(url, { accept: FIREFOX }, 'HEAD');
    assert.deepEqual(
      [head.statusCode, head.body, head.headers['content-length'], head.headers.etag],
      [200, '', String(whole.rawPayload.length), etag],
    );
    const compressed = await get(url, { accept: FIREFOX, 'accept-encoding': 'gzip' });
    const isCompressed = compressed.headers['content-encoding'] === 'gzip';
    assert.equal(isCompressed, whole.rawPayload.length >= 1024, url);
    if (isCompressed) assert.deepEqual(gunzipSync(compressed.rawPayload), whole.rawPayload);
  }
});

test('below the base path, the page has a slash at its end, because its links are relative', async () => {
  const redirected = await get(BASE_PATH, { accept: FIREFOX });
  assert.deepEqual([redirected.statusCode, redirected.headers['location']], [308, `${BASE_PATH}/`]);
  const page = await get(`${BASE_PATH}/`, { accept: FIREFOX });
  assert.equal(page.statusCode, 200);
  assert.equal((await get(`${BASE_PATH}/page.js`)).statusCode, 200);
});

test('PUBLIC_PAGE=false serves no file of the page', async (t) => {
  const { app } = await startService(t, { DATASETS: 'none', PUBLIC_PAGE: 'false' });
  const response = await app.inject({ url: '/', headers: { accept: FIREFOX } });
  assert.equal(response.statusCode, 404);
  assert.deepEqual(response.json(), { error: 'This service has no page, because PUBLIC_PAGE is false.' });
  for (const url of ['/page.js', '/page-screens.js', '/page.css']) {
    assertProblem(await app.inject(url), 404, 'route-not-found');
  }
  assert.deepEqual((await app.inject('/')).json(), { status: 'alive' });
});
