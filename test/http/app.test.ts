import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { assertProblem, queueJob, startService, train } from '../support/start-service.ts';

const { app } = await startService({ after });
const { id } = await train(app);
const GETS = [
  '/health/live',
  '/health/ready',
  '/openapi.json',
  '/v1/datasets',
  '/v1/datasets/fashion-mnist',
  '/v1/datasets/fashion-mnist/splits/test/images/0',
  '/v1/models',
  '/v1/models/fashion-mnist',
  '/v1/models/fashion-mnist/versions',
  '/v1/models/fashion-mnist/versions/1',
  '/v1/training-jobs',
  `/v1/training-jobs/${id}`,
  `/v1/training-jobs/${id}/metrics`,
  `/v1/training-jobs/${id}/events`,
];
const POSTS = [
  '/v1/training-jobs',
  `/v1/training-jobs/${id}/cancel`,
  '/v1/gradient-checks',
  '/v1/models/fashion-mnist/predictions',
  '/v1/models/fashion-mnist/versions/1/predictions',
];

test('every response has the id of its request, or a new one if that is missing or invalid', async () => {
  const idOf = async (sent: string, url = '/health/live') =>
    (await app.inject({ url, headers: { 'x-request-id': sent } })).headers['x-request-id'];
  assert.equal(await idOf('trace-42.a:b_c'), 'trace-42.a:b_c');
  assert.equal(await idOf('trace-43', '/nothing'), 'trace-43');
  assert.equal(await idOf('trace-44', '/%zz'), 'trace-44');
  for (const sent of ['', 'two words', 'ä', 'x'.repeat(129), '{"a":1}']) {
    assert.match(String(await idOf(sent)), /^[0-9a-f-]{36}$/, sent);
  }
  assert.notEqual(await idOf(''), await idOf(''));
});

test('HEAD responds like GET, without the body', async () => {
  for (const url of GETS) {
    const [get, head] = [await app.inject(url), await app.inject({ method: 'HEAD', url })];
    assert.deepEqual([head.statusCode, head.body], [200, ''], url);
    for (const name of ['content-type', 'content-length', 'etag']) {
      assert.equal(head.headers[name], get.headers[name], `${name} of ${url}`);
    }
  }
  const missing = await app.inject({ method: 'HEAD', url: '/v1/models/nobody' });
  assert.deepEqual([missing.statusCode, missing.body], [404, '']);
});

test('every GET under /v1 has an ETag and responds 304 to it', async () => {
  for (const url of GETS.filter((path) => path.startsWith('/v1'))) {
    const { etag } = (await app.inject(url)).headers;
    assert.match(String(etag), /^(W\/)?"/, url);
    for (const known of [etag, `W/${etag}`, `"another", ${etag}`, '*']) {
      const again = await app.inject({ url, headers: { 'if-none-match': String(known) } });
      assert.deepEqual([again.statusCode, again.body, again.headers.etag], [304, '', etag], url);
    }
    const other = await app.inject({ url, headers: { 'if-none-match': '"another"' } });
    assert.equal(other.statusCode, 200);
    const read = (required: string) => app.inject({ url, headers: { 'if-match': required } });
    assert.equal((await read(String(etag))).statusCode, 200, url);
    assertProblem(await read('"another"'), 412, 'precondition-failed', 'If-Match');
  }
  const headers = { 'if-none-match': '*' };
  assertProblem(await app.inject({ url: '/v1/models/nobody', headers }), 404, 'model-not-found');
});

test('a method that is not allowed gives 405 with the allowed ones', async () => {
  for (const url of GETS) {
    const response = await app.inject({ method: 'PUT', url });
    assertProblem(response, 405, 'method-not-allowed');
    assert.match(String(response.headers.allow), /\bGET, HEAD\b/, url);
  }
  for (const url of POSTS) {
    const response = await app.inject({ method: 'PUT', url });
    assertProblem(response, 405, 'method-not-allowed');
    assert.match(String(response.headers.allow), /\bPOST\b/, url);
  }
  const problem = assertProblem(
    await app.inject({ method: 'TRACE', url: '/v1/models' }),
    405,
    'method-not-allowed',
  );
  assert.match(problem.detail, /\/v1\/models does not support TRACE\. Allowed methods: GET, HEAD, POST\./);
});

test('a wrong body does not hide a wrong method or path', async () => {
  const wrong = { headers: { 'content-type': 'application/json' }, payload: '{' };
  assertProblem(await app.inject({ method: 'PUT', url: '/v1/models', ...wrong }), 405, 'method-not-allowed');
  // An empty id is not a resource, whatever the method.
  for (const method of ['GET', 'POST', 'DELETE'] as const) {
    assertProblem(await app.inject({ method, url: '/v1/searches/' }), 404, 'route-not-found');
  }
  assertProblem(await app.inject({ method: 'POST', url: '/v1/nothing', ...wrong }), 404, 'route-not-found');
});

test('responses that depend on Accept have a Vary header', async () => {
  const image = '/v1/datasets/fashion-mnist/splits/test/images/0';
  for (const url of [image, `/v1/training-jobs/${id}/metrics`]) {
    assert.equal((await app.inject(url)).headers.vary, 'Accept', url);
    assert.equal((await app.inject({ url, headers: { accept: 'text/html' } })).headers.vary, 'Accept', url);
  }
});

test('a Content-Encoding of many spaces is rejected, in time that grows with its length only', async () => {
  // A regular expression that tries all divisions of the spaces would take hours.
  const headers = { 'content-type': 'application/json', 'content-encoding': `${'\u00A0'.repeat(2 ** 21)}x` };
  const response = await app.inject({ method: 'POST', url: '/v1/training-jobs', headers, payload: '{}' });
  assert.equal(response.statusCode, 415);
});

test('a path of many slashes gives 404 without being split again for each route', async (t) => {
  const path = '/'.repeat(15_000);
  const { mock } = t.mock.method(String.prototype, 'split');
  const { statusCode } = await app.inject(path);
  const splits = mock.calls.filter((call) => String(call.this) === path && String(call.arguments[0]) === '/');
  assert.deepEqual([statusCode, splits.length], [404, 1]);
});

test('a compressed body gives 415 naming Content-Encoding, on every route', async () => {
  for (const url of POSTS) {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const response = await app.inject({ method: 'POST', url, headers, payload: gzipSync('{}') });
    const problem = assertProblem(response, 415, 'unsupported-media-type', 'Content-Encoding');
    assert.match(problem.detail, /Content-Encoding: gzip .* Allowed: identity/);
    assert.equal(response.headers['accept-encoding'], 'identity');
  }
  const headers = { 'content-type': 'application/json', 'content-encoding': 'Identity' };
  const check = { method: 'POST', url: '/v1/gradient-checks', headers, payload: '{}' } as const;
  assert.equal((await app.inject(check)).statusCode, 200);
});

test('a path without a route gives 404', async () => {
  for (const url of [
    '/v1',
    '/v1/',
    '/v3/models',
    '//v1/models',
    '/v1/models/a/b/c/d',
    '/docs/static/nothing.js',
    '/docs/static/..%2f..%2fpackage.json',
    '/v1/models/',
    '/v1/models//versions',
    '/v1/training-jobs/',
  ]) {
    const problem = assertProblem(await app.inject(url), 404, 'route-not-found');
    assert.equal(problem.instance, url);
  }
  assertProblem(await app.inject(`/v1/training-jobs/${'x'.repeat(1000)}`), 404, 'route-not-found');
});

test('a verb without a name before it is not a route, whatever the method', async () => {
  const paths = [
    '/v1/models/:explain',
    '/v1/models/..%2F..:predict',
    '/v1/models/a%3Ab:predict',
    '/v1/models/x/labels/:predict',
    '/v1/models/x/versions/%3Apredict',
  ];
  for (const url of paths) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE'] as const) {
      const response = await app.inject({ method, url });
      assert.deepEqual([response.statusCode, response.headers.allow], [404, undefined], `${method} ${url}`);
      const { error, detail = error } = response.json();
      assert.match(detail, /verbs of a model are: .*follow its name/);
    }
  }
  const wrong = await app.inject({ method: 'GET', url: '/v1/models/x/labels/a%3Apredict' });
  assert.deepEqual([wrong.statusCode, wrong.headers.allow], [405, 'POST']);
});

test('HEAD in Allow implies GET', async () => {
  for (const url of ['/docs/', '/v1/models/a']) {
    const refused = await app.inject({ method: 'POST', url });
    assertProblem(refused, 405, 'method-not-allowed');
    assert.deepEqual(String(refused.headers['allow']).match(/GET|HEAD/g), ['GET', 'HEAD'], url);
  }
});

test('a body that is missing or null is reported as such', async () => {
  const headers = { 'content-type': 'application/json' };
  for (const url of ['/v1/training-jobs', '/v1/gradient-checks']) {
    for (const body of [{}, { headers, payload: 'null' }]) {
      const response = await app.inject({ method: 'POST', url, ...body });
      const { detail } = assertProblem(response, 400, 'invalid-request', '#');
      assert.match(detail, /must be a JSON object, but is missing or null/);
    }
  }
});

test('an invalid path gives 400', async () => {
  for (const url of ['/%', '/v1/models/%zz', '/v1/models/%E0%A4%A']) {
    assertProblem(await app.inject(url), 400, 'invalid-request');
  }
});

test('rejects an unknown query parameter by name', async () => {
  for (const url of GETS.filter((path) => path !== '/openapi.json')) {
    assertProblem(await app.inject(`${url}?nonsense=1`), 400, 'invalid-request', 'nonsense');
  }
  for (const url of POSTS) {
    const response = await app.inject({
      method: 'POST',
      url: `${url}?nonsense=1`,
      payload: { dataset: 'x' },
    });
    assertProblem(response, 400, 'invalid-request', 'nonsense');
  }
});

test('strange ids give 404 like any unknown id', async () => {
  for (const name of ['__proto__', 'constructor', '%00', '%F0%9F%91%9F', '..%2F..%2Fetc', "'%20or%201=1"]) {
    assertProblem(await app.inject(`/v1/models/${name}`), 404, 'model-not-found');
    assertProblem(await app.inject(`/v1/training-jobs/${name}`), 404, 'training-job-not-found');
    assertProblem(await app.inject(`/v1/datasets/${name}`), 404, 'dataset-not-found');
  }
});

test('names given by clients are returned unchanged', async () => {
  const metadata = { note: 'naïve 👟 \\ "', constructor: 'x', toString: 'y' };
  const job = await queueJob(app, { dataset: 'fashion-mnist', metadata, training: { epochs: 1 } });
  assert.deepEqual(job.metadata, metadata);
  const shown = (await app.inject(`/v1/training-jobs/${job.id}`)).json();
  assert.deepEqual(shown.metadata, metadata);
});
