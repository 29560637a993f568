import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import type { ModelVersion } from '../../../src/domain/models/representation.ts';
import { assertProblem, startService, type TrainingBody, train } from '../../support/start-service.ts';

const { app } = await startService({ after });

type Training = NonNullable<TrainingBody['training']>;

/** A request with 6,000 training images in batches of 64, enough to learn something in one epoch. */
function body(modelName: string, changes: Partial<TrainingBody> = {}, training: Training = {}): TrainingBody {
  return {
    dataset: 'fashion-mnist',
    modelName,
    network: { hidden: [16] },
    ...changes,
    training: { epochs: 1, validation: { fraction: 0.1 }, ...training },
  };
}

async function firstLoss({ id }: TrainingJob): Promise<number> {
  return (await app.inject(`/v1/training-jobs/${id}/metrics`)).json().data[0].trainLoss;
}

const versionOf = async (name: string, version: number): Promise<ModelVersion> =>
  (await app.inject(`/v1/models/${name}/versions/${version}`)).json();

const fresh = await train(app, body('start', {}, { epochs: 2 }));
assert.deepEqual(fresh.model, { name: 'start', version: 1 }, fresh.error?.message);
await train(app, body('start', { seed: 1 }));

test('a training starts from the given version, in every form of reference', async () => {
  const digests: (string | null)[] = [];
  for (const warmStart of ['start@1', { name: 'start', version: 1 }]) {
    const job = await train(app, body('continued', { warmStart }));
    assert.equal(job.status, 'succeeded', job.error?.message);
    assert.deepEqual(job.warmStart, { name: 'start', version: 1 });
    assert.ok((await firstLoss(job)) < (await firstLoss(fresh)) / 1.5);
    assert.ok((await firstLoss(job)) < fresh.latest!.trainLoss, 'it starts from the other model');
    digests.push(job.digest);
  }
  assert.equal(digests[0], digests[1]);
  assert.notEqual(digests[0], fresh.digest);
});

test('without a version it starts from the current champion, and the job records the version', async () => {
  for (const warmStart of ['start', { name: 'start' }]) {
    const job = await train(app, body('newest', { warmStart }));
    assert.deepEqual([job.status, job.warmStart], ['succeeded', { name: 'start', version: 1 }]);
  }
});

test('a model can be trained from its own version', async () => {
  const jobs = [await train(app, body('itself'))];
  for (let n = 0; n < 2; n++)
    jobs.push(await train(app, body('itself', { warmStart: 'itself', publish: { promote: 'always' } })));
  const losses = await Promise.all(jobs.map(firstLoss));
  assert.deepEqual(
    losses,
    losses.toSorted((a, b) => b - a),
  );
  assert.deepEqual(jobs[2]!.warmStart, { name: 'itself', version: 2 });
});

test('a standardized model keeps its mean and deviation', async () => {
  const first = await train(app, body('scaled', {}, { standardize: true }));
  const { standardization } = await versionOf('scaled', 1);
  assert.ok(Math.abs(Number(standardization?.mean) - 0.286) < 0.01);
  assert.ok(Math.abs(Number(standardization?.std) - 0.353) < 0.01);
  // Another seed holds out another tenth of the images, so the mean differs.
  const other = { seed: 5, warmStart: 'scaled@1' };
  const next = await train(app, body('scaled', other, { standardize: true }));
  assert.equal(next.status, 'succeeded', next.error?.message);
  assert.deepEqual((await versionOf('scaled', 2)).standardization, standardization);
  assert.ok((await firstLoss(next)) < (await firstLoss(first)));
});

const create = async (request: TrainingBody) =>
  app.inject({ method: 'POST', url: '/v1/training-jobs', payload: request });

test('rejects a missing model or version and lists the existing ones', async () => {
  for (const warmStart of ['nobody', 'nobody@1', { name: 'nobody' }]) {
    assertProblem(await create(body('x', { warmStart })), 422, 'unknown-model', '#/warmStart');
  }
  const problem = assertProblem(
    await create(body('x', { warmStart: 'start@9' })),
    422,
    'unknown-model',
    '#/warmStart',
  );
  assert.match(problem.detail, /start has no version 9; its newest is 2/);
});

test('rejects another shape, activation or standardization, naming both', async () => {
  const warmStart = 'start@1';
  const cases: [pointer: string, detail: RegExp, request: TrainingBody][] = [
    [
      '#/network/hidden',
      /it is a 784-16-10 network, but the request has 784-8-10/,
      body('x', { warmStart, network: { hidden: [8] } }),
    ],
    [
      '#/network/hidden',
      /it is a 784-16-10 network, but the request has 784-10/,
      body('x', { warmStart, network: { hidden: [] } }),
    ],
    [
      '#/network/activation',
      /its activation is relu, but the request has tanh/,
      body('x', { warmStart, network: { hidden: [16], activation: 'tanh' } }),
    ],
    ['#/training/standardize', /not standardized/, body('x', { warmStart }, { standardize: true })],
  ];
  for (const [pointer, detail, request] of cases) {
    const problem = assertProblem(await create(request), 422, 'impossible-request', pointer);
    assert.match(problem.detail, detail);
  }
});

test('reports all differences from the model at once, and marks defaults', async () => {
  const tanh = { hidden: [6], activation: 'tanh' as const };
  const job = await train(app, body('curved', { network: tanh }, { standardize: true }));
  assert.equal(job.status, 'succeeded', job.error?.message);
  const response = await create({ dataset: 'fashion-mnist', warmStart: 'curved' });
  const problem = assertProblem(response, 422, 'impossible-request', '#/network/hidden');
  assert.match(problem.detail, /it is a 784-6-10 network, but the request has 784-40-10, the default/);
  assert.match(problem.detail, /standardize must equal the model's; omitted fields have their defaults\.$/);
  const pointers = problem.errors!.map((error) => 'pointer' in error && error.pointer);
  assert.deepEqual(pointers, ['#/network/hidden', '#/network/activation', '#/training/standardize']);
});

test('without a version it starts from the champion, if any, and any alias is accepted', async () => {
  for (const alias of ['champion', 'first']) {
    const url = `/v1/models/start/aliases/${alias}`;
    const { statusCode } = await app.inject({ method: 'PUT', url, payload: { version: 1 } });
    assert.equal(statusCode, alias === 'first' ? 201 : 200);
  }
  for (const warmStart of ['start', { name: 'start' }, 'start@first']) {
    const response = await create(body('aliased', { warmStart }));
    assert.deepEqual(response.json().warmStart, { name: 'start', version: 1 });
  }
});
