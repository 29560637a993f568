/** Unknown names in paths under /v1: every operation responds with a problem document. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertProblem, startService, train } from '../../../support/start-service.ts';

const { app } = await startService({ after });
const job = await train(app);
const contract = await app.openapi();

const NO_JOB = 'job_01ARZ3NDEKTSV4RRFFQ69G5FAV';
/** Path prefix, expected code, and parameters. One of them does not exist. */
const UNKNOWN = [
  [
    '/v1/models/{name}',
    'model-not-found',
    { name: 'nobody', version: '1', alias: 'champion', plot: 'confusion' },
  ],
  [
    '/v1/models/{name}/versions/{version}',
    'model-not-found',
    { name: job.modelName, version: '99', plot: 'classes' },
  ],
  [
    '/v1/models/{name}/versions/{version}',
    'model-not-found',
    { name: job.modelName, version: 'no-alias', plot: 'classes' },
  ],
  ['/v1/models/{name}/aliases/{alias}', 'alias-not-found', { name: job.modelName, alias: 'no-alias' }],
  ['/v1/training-jobs/{id}', 'training-job-not-found', { id: NO_JOB, step: '1', plot: 'loss' }],
  ['/v1/training-jobs/{id}/checkpoints/{step}/', 'checkpoint-not-found', { id: job.id, step: '999999' }],
  ['/v1/datasets/{id}', 'dataset-not-found', { id: 'nothing', split: 'test', index: '0' }],
  [
    '/v1/datasets/{id}/splits/{split}/images/{index}',
    'image-not-found',
    { id: 'fashion-mnist', split: 'test', index: '10000' },
  ],
] as const;
const BODIES: Readonly<Record<string, object>> = {
  put: { version: 99 },
  patch: { description: 'of nothing' },
  post: { image: new Array(784).fill(0) },
};

function bodyFor(method: string, url: string): object {
  if (url.startsWith('/v1/training-jobs/') && method === 'patch') return { priority: 1 };
  return url.endsWith('/calibration') ? {} : BODIES[method]!;
}

/** Required query, by path. */
const QUERIES: Readonly<Record<string, string>> = {
  '/v1/models/{name}/versions/{version}/comparison': `?with=${job.modelName}@1`,
  '/v1/models/{name}/versions/{version}/export': '?format=npz',
};

function fill(path: string, parameters: Readonly<Record<string, string>>): string {
  const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => parameters[name]!);
  return `${url}${QUERIES[path] ?? ''}`;
}

for (const [prefix, code, parameters] of UNKNOWN) {
  test(`below ${prefix}, ${JSON.stringify(parameters)} gives the problem ${code}`, async () => {
    let asked = 0;
    for (const [path, item] of Object.entries(contract.paths!)) {
      // Verbs after a colon, labels and /metadata are of TensorFlow Serving, which has other errors.
      if (!path.startsWith(prefix) || /:|\/labels\/|\/metadata$/.test(path)) continue;
      for (const method of Object.keys(item!) as ('get' | 'put' | 'patch' | 'post' | 'delete')[]) {
        // PUT creates the alias.
        if (method === 'put' && code === 'alias-not-found') continue;
        // A copy may have a new name.
        if (method === 'post' && path === '/v1/models/{name}/versions') continue;
        const url = fill(path, parameters);
        const takesBody = contract.paths![path]![method]!.requestBody !== undefined;
        const response = await app.inject({
          method: method.toUpperCase() as 'GET',
          url,
          ...(takesBody && {
            payload: bodyFor(method, url),
          }),
        });
        const { detail } = assertProblem(
          response,
          404,
          path.includes('{step}') ? 'checkpoint-not-found' : code,
        );
        assert.ok(detail.length > 20, `${method} ${url}: ${detail}`);
        asked++;
      }
    }
    assert.ok(asked > 0, 'the contract has such a path');
  });
}
