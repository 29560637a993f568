import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { OpenAPIV3_1 } from 'openapi-types';
import { problemSchema } from '../../src/http/errors/problem.ts';
import { startService, temporaryDirectory } from '../support/start-service.ts';

const file = { after };
const outside = await temporaryDirectory(file);
const stateDir = join(outside, 'state');
await mkdir(stateDir);
await writeFile(join(outside, 'secret'), 'not for anybody');
const { app } = await startService(file, { STATE_DIR: stateDir });
const document: OpenAPIV3_1.Document = (await app.inject('/openapi.json')).json();

const NAMES = [
  '..',
  '../secret',
  '../../../../etc/passwd',
  '/etc/passwd',
  '..\\secret',
  '....//secret',
  'a/../../secret',
  'secret\0',
  '\0',
  'file:///etc/passwd',
  'http://127.0.0.1/',
  'ｆashion-mnist',
  'fashion-mnist\u202e',
  '\u{1f45f}',
  '__proto__',
  'constructor',
  'toString',
  "' or 1=1 --",
  '%',
  '%2e%2e%2f',
  '-1',
  'NaN',
  'x'.repeat(64),
  'x'.repeat(10_000),
];

/** All files inside and outside the state directory, except those of SQLite. */
async function files(): Promise<string[]> {
  const found = await readdir(outside, { recursive: true });
  return found.filter((file) => !/\.sqlite(-wal|-shm|-journal)?$/.test(file)).toSorted();
}

const METHODS = ['get', 'post', 'put', 'delete', 'patch'] as const;
const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
  METHODS.filter((method) => item?.[method]).map((method) => ({ path, method })),
);

test('hostile names in paths give 404 only', async () => {
  const before = await files();
  const named = operations.filter(({ path }) => path.includes('{'));
  assert.ok(named.length > 10);
  for (const { path, method } of named) {
    for (const name of NAMES) {
      for (const encoded of new Set([encodeURIComponent(name), name.replaceAll('/', '%2f')])) {
        if (!/^[\x21-\x7e]+$/.test(encoded)) continue;
        const url = path.replaceAll(/\{[^}]+\}/g, encoded);
        // The client resolves dots before sending, as browsers do, so this would request the existing route /v2/.
        if (new URL(url, 'http://service').pathname === '/v2/') continue;
        const response = await app.inject({
          method: method.toUpperCase() as 'GET',
          url,
          ...(method !== 'get' && { payload: {} }),
        });
        const shown = `${method} ${url.slice(0, 100)}: ${response.statusCode} ${response.body.slice(0, 300)}`;
        assert.ok(response.statusCode >= 400 && response.statusCode < 500, shown);
        assert.ok(!response.body.includes('not for anybody'), shown);
      }
    }
  }
  assert.deepEqual(await files(), before);
});

test('hostile names in bodies are treated as names only', async () => {
  const before = await files();
  const fits = (name: string) => /^[a-z0-9][a-z0-9._-]{0,63}$/.test(name);
  for (const name of NAMES) {
    const bodies: [url: string, body: object][] = [
      ['/v1/training-jobs', { dataset: name }],
      ['/v1/training-jobs', { dataset: 'fashion-mnist', warmStart: name }],
      ['/v1/training-jobs', { dataset: 'fashion-mnist', warmStart: { name } }],
      ['/v1/gradient-checks', { dataset: name }],
      ['/v1/gradient-checks', { model: name }],
    ];
    if (!fits(name)) bodies.push(['/v1/training-jobs', { dataset: 'fashion-mnist', modelName: name }]);
    for (const [url, payload] of bodies) {
      const response = await app.inject({ method: 'POST', url, payload });
      const shown = `${url} ${JSON.stringify(payload).slice(0, 100)}: ${response.body.slice(0, 300)}`;
      assert.ok([400, 422].includes(response.statusCode), shown);
      problemSchema.parse(response.json());
    }
  }
  assert.deepEqual(await files(), before);
});

test('/docs serves its own files and nothing above them', async () => {
  for (const path of [
    '../package.json',
    '..%2fpackage.json',
    '%2e%2e/%2e%2e/package.json',
    '%00',
    '/etc/passwd',
  ]) {
    const response = await app.inject(`/docs/static/${path}`);
    assert.ok(response.statusCode >= 400 && response.statusCode < 500, `${path}: ${response.statusCode}`);
    assert.doesNotMatch(response.body, /"dependencies"|root:/);
  }
});
