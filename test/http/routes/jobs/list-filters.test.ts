import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { TrainingJob } from '../../../../src/domain/jobs/training.ts';
import {
  assertProblem,
  cancelJob,
  queueJob,
  startService,
  tiny,
  train,
} from '../../../support/start-service.ts';

const { app } = await startService({ after });

async function ids(query: string): Promise<string[]> {
  const response = await app.inject(`/v1/training-jobs?${query}`);
  assert.equal(response.statusCode, 200, response.body);
  return response.json<{ data: TrainingJob[] }>().data.map(({ id }) => id);
}

async function create(modelName: string, metadata: Record<string, string>): Promise<TrainingJob> {
  const job = await queueJob(app, tiny({ modelName, metadata }));
  await cancelJob(app, job.id).catch(() => {});
  return job;
}

test('training jobs are filtered by model, data set, metadata and time, and sorted', async () => {
  const shoes = await create('shoes', { team: 'vision', 'cost.center': '7' });
  const bags = await create('bags', { team: 'vision' });
  const cases: [string, TrainingJob[]][] = [
    ['modelName=shoes', [shoes]],
    ['dataset=fashion-mnist&metadata.team=vision', [bags, shoes]],
    ['metadata[team]=vision&sort=createdAt', [shoes, bags]],
    ['metadata%5Bteam%5D=vision&metadata.cost.center=7', [shoes]],
    ['metadata.team=Vision', []],
    ['search=none&modelName=shoes', [shoes]],
    ['search=sea_0&modelName=shoes', []],
    ['metadata.constructor=x&modelName=shoes', []],
    [`createdBefore=${bags.createdAt}&modelName=bags`, []],
    [`createdAfter=2020-01-01T00:00:00%2B02:00&modelName=bags`, [bags]],
    [`sort=createdAt&metadata.team=vision&limit=1&after=${shoes.id}`, [bags]],
  ];
  for (const [query, jobs] of cases) {
    assert.deepEqual(
      await ids(query),
      jobs.map(({ id }) => id),
      query,
    );
  }
});

test('rejects unknown, repeated and malformed filters with what is allowed', async () => {
  const cases: [string, string, RegExp][] = [
    ['metadta.team=vision', 'metadta.team', /^Unknown parameter .* Did you mean `metadata`\?/],
    ['model=shoes', 'model', /Did you mean `modelName`\? Allowed: limit, after, status, modelName/],
    ['metadata.__proto__=x', 'metadata.__proto__', /^Unknown parameter/],
    ['metadata=vision', 'metadata', /^Must be given with a key, as in metadata\.team=vision/],
    ['metadata.team=a&metadata.team=b', 'metadata.team', /^Is given more than once/],
    ['metadata.team=a&metadata[team]=b', 'metadata.team', /^Is given more than once/],
    ['createdAfter=yesterday', 'createdAfter', /^Must be a time of RFC 3339 with its zone/],
    ['createdAfter=2026-11-26T12:00:00', 'createdAfter', /^Must be a time of RFC 3339 with its zone/],
    ['sort=name', 'sort', /-createdAt/],
  ];
  for (const [query, parameter, detail] of cases) {
    const problem = assertProblem(await app.inject(`/v1/training-jobs?${query}`), 400, 'invalid-request');
    const [error] = problem.errors ?? [];
    assert.ok(error && 'parameter' in error && error.parameter === parameter, JSON.stringify(problem));
    assert.match(error.detail, detail);
  }
});

test('models, versions and data sets have filters and orders of their own', async () => {
  await train(app, tiny({ modelName: 'listed', metadata: { team: 'vision' } }));
  const cases: [string, number][] = [
    ['/v1/models?namePrefix=lis&metadata[team]=vision&dataset=fashion-mnist&sort=name', 1],
    ['/v1/models?metadata.team=text', 0],
    ['/v1/models/listed/versions?sort=-testAccuracy&metadata.team=vision', 1],
    ['/v1/models/listed/versions?dataset=none', 0],
    ['/v1/models/listed/versions?createdBefore=2020-01-01T00:00:00Z', 0],
    ['/v1/datasets?sort=createdAt', 1],
    ['/v1/datasets?createdAfter=2020-01-01T00:00:00Z', 0],
  ];
  for (const [url, items] of cases) {
    const response = await app.inject(url);
    assert.equal(response.json<{ data: object[] }>().data?.length, items, `${url}: ${response.body}`);
  }
});
