import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import type { InjectOptions } from 'fastify';
import { readConfig } from '../../../../src/config/read.ts';
import { formatApiKey, generateKey, sha256Bytes } from '../../../../src/domain/api-key.ts';
import type { Evaluation } from '../../../../src/domain/checks/evaluation.ts';
import { assertProblem, cancelJob, startService, tiny, train } from '../../../support/start-service.ts';

const file = { after };
const BASE_PATH = '/lab/atelier';
const key = generateKey();
const { app: plain } = await startService(file);
const { app } = await startService(file, { BASE_PATH, CORS_ORIGINS: 'https://lab.example' });
await train(app, tiny({ modelName: 'shoes' }));
await train(plain, tiny({ modelName: 'shoes' }));

/** The service without BASE_PATH, behind a proxy that passes the path on, and behind one that strips it. */
const ACCESS = [
  { service: plain, prefix: '', sent: '' },
  { service: app, prefix: BASE_PATH, sent: BASE_PATH },
  { service: app, prefix: BASE_PATH, sent: '' },
];

test('Location, problems and links in bodies begin with the base path', async () => {
  for (const { service, prefix, sent } of ACCESS) {
    const url = `${sent}/v1/training-jobs`;
    const headers = { 'idempotency-key': `once${sent}` };
    const create = { method: 'POST', url, payload: tiny(), headers } as const;
    const created = await service.inject(create);
    const { id } = created.json();
    assert.equal(created.headers['location'], `${prefix}/v1/training-jobs/${id}`);
    const replayed = await service.inject(create);
    assert.equal(replayed.headers['idempotency-replayed'], 'true');
    assert.equal(replayed.headers['location'], created.headers['location']);
    assert.equal((await service.inject(`${sent}/v1/training-jobs/${id}`)).statusCode, 200);
    await cancelJob(service, id);

    const cases: [request: InjectOptions, status: number, code: Parameters<typeof assertProblem>[2]][] = [
      [{ url: '/v1/nothing?x=1' }, 404, 'route-not-found'],
      [{ url: '/v1/models/none' }, 404, 'model-not-found'],
      [{ url: '/v1/models?limit=x' }, 400, 'invalid-request'],
      [{ url: '/%' }, 400, 'invalid-request'],
      [{ url: '/health/live', method: 'POST' }, 405, 'method-not-allowed'],
    ];
    for (const [request, status, code] of cases) {
      const response = await service.inject({ ...request, url: `${sent}${request.url}` });
      assert.equal(assertProblem(response, status, code).instance, `${prefix}${request.url}`);
    }
    const missing = await service.inject(`${sent}/v1/nothing`);
    assert.equal(
      missing.json().detail,
      `There is no route GET ${prefix}/v1/nothing. All routes are listed at ${prefix}/docs.`,
    );

    const evaluated = await service.inject(`${sent}/v1/models/shoes/versions/1/evaluation`);
    const { image } = evaluated.json<Evaluation>().mistakes[0]!;
    assert.match(image, new RegExp(`^${prefix}/v1/datasets/fashion-mnist/splits/test/images/\\d+$`));
    assert.equal((await service.inject(image)).statusCode, 200);
  }
});

test('the documentation and everything it loads are under the base path', async () => {
  const { servers } = (await app.inject(`${BASE_PATH}/openapi.json`)).json();
  assert.deepEqual(servers, [{ url: BASE_PATH, description: 'This service' }]);
  for (const { service, prefix, sent } of ACCESS) {
    const page = await service.inject(`${sent}/docs`);
    const assets = Array.from(page.body.matchAll(/(?:href|src)="([^"]+)"/g), ([, url]) => url!);
    assert.ok(assets.length > 4);
    for (const url of assets) assert.ok(url.startsWith(`${prefix}/docs/static/`), url);
    assert.equal((await service.inject(assets[0]!)).statusCode, 200);
    const redirect = await service.inject(`${sent}/docs/static/index.html`);
    assert.equal(redirect.headers['location'], `${prefix}/docs/`);
    assert.match(String(page.headers['content-security-policy']), /script-src 'self'/);
  }
});

test('every protocol, probes and metrics are served under the base path, and without it', async () => {
  for (const { service, sent } of ACCESS) {
    const pixels = Buffer.alloc(784, 7);
    const predict = (url: string, type: string, payload: Buffer | object) =>
      service.inject({ method: 'POST', url: `${sent}${url}`, headers: { 'content-type': type }, payload });
    const json = { instances: [[...pixels]] };
    const responses = await Promise.all([
      ...[
        '/health/live',
        '/health/ready',
        '/ping',
        '/health',
        '/version',
        '/v2',
        '/v2/',
        '/v2/health/ready',
        '/metrics',
      ].map((url) => service.inject(`${sent}${url}`)),
      predict('/v1/models/shoes/predictions', 'application/octet-stream', pixels),
      predict('/v1/models/shoes:predict', 'application/json', json),
      predict('/invocations?model=shoes', 'application/json', json),
      predict('/v2/models/shoes/infer', 'application/json', {
        inputs: [{ name: 'image', datatype: 'UINT8', shape: [1, 784], data: [...pixels] }],
      }),
    ]);
    for (const { statusCode, body } of responses) assert.equal(statusCode, 200, body);
    const wrong = await service.inject({ method: 'POST', url: `${sent}/v2/models/none/infer`, payload: {} });
    assert.deepEqual(Object.keys(wrong.json()), ['error']);
    const unknown = await service.inject(`${sent}/v2/nothing`);
    assert.deepEqual([unknown.statusCode, Object.keys(unknown.json())], [404, ['error']]);
  }
  const metrics = (await app.inject('/metrics')).body;
  assert.match(metrics, /route="\/v1\/models\/\{name\}\/predictions"/);
  assert.doesNotMatch(metrics, /lab\/atelier/);
});

test('only whole segments count as the base path, once', async () => {
  for (const url of [
    '/lab/ateliers/v1/models',
    '/lab/atelier/lab/atelier/v1/models',
    '/lab/v1/models',
    '/x/v1/models',
  ]) {
    assertProblem(await app.inject(url), 404, 'route-not-found');
  }
  for (const url of [BASE_PATH, `${BASE_PATH}/`, `${BASE_PATH}?a=/v1`]) {
    assert.deepEqual((await app.inject(url)).json(), { status: 'alive' }, url);
  }
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: `${BASE_PATH}/v1/training-jobs`,
    headers: { origin: 'https://lab.example', 'access-control-request-method': 'POST' },
  });
  assert.equal(preflight.headers['access-control-allow-origin'], 'https://lab.example');
});

test('under the base path, routes need the same keys', async (t) => {
  const API_KEYS = formatApiKey({ name: 'ci', scopes: ['predict'], digest: sha256Bytes(key) });
  const { app: keyed } = await startService(t, {
    BASE_PATH,
    API_KEYS,
    PUBLIC_DOCS: 'false',
    PUBLIC_METRICS: 'false',
  });
  const headers = { authorization: `Bearer ${key}` };
  for (const path of ['/v1/models', '/docs', '/metrics', '/v2']) {
    for (const url of [path, `${BASE_PATH}${path}`]) {
      assert.equal((await keyed.inject(url)).statusCode, 401, url);
      assert.equal((await keyed.inject({ url, headers })).statusCode, 200, url);
    }
  }
  assert.equal((await keyed.inject(`${BASE_PATH}/health/live`)).statusCode, 200);
});

test('BASE_PATH is a path of plain segments that hides no path of the service', () => {
  for (const [given, basePath] of [
    ['', ''],
    ['/', ''],
    ['/a', '/a'],
    ['/a/B-1/.x/~y_2', '/a/B-1/.x/~y_2'],
    ['/v1x', '/v1x'],
  ] as const) {
    assert.equal(readConfig({ BASE_PATH: given }).basePath, basePath);
  }
  const contract = JSON.parse(
    readFileSync(new URL('../../../../openapi/openapi.json', import.meta.url), 'utf8'),
  );
  const paths = Object.keys(contract.paths).filter((path) => path !== '/');
  const own = new Set(paths.map((path) => `/${path.split('/')[1]}`));
  const wrong = [
    'a',
    '/a/',
    '//a',
    '/a//b',
    '/a/../b',
    '/./a',
    '/ä',
    '/a%20b',
    '/a b',
    '/a?b',
    '/docs',
    '/openapi.json',
    '/llms.txt',
    '/llms-full.txt',
    '/README.md',
    '/page.js',
    '/page-screens.js',
    '/page.css',
  ];
  for (const given of [...wrong, ...own, '/v1/atelier']) {
    assert.throws(
      () => readConfig({ BASE_PATH: given }),
      /BASE_PATH must be a path such as \/atelier/,
      given,
    );
  }
});
