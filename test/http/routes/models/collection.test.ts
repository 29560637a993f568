import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { modelSchema, modelVersionSchema } from '../../../../src/domain/models/representation.ts';
import {
  assertProblem,
  cancelJob,
  endless,
  isRunning,
  queueJob,
  startService,
  tiny,
  train,
  untilJob,
} from '../../../support/start-service.ts';

const { app } = await startService({ after });

test('without models the list is empty, and a 404 explains how to create one', async () => {
  const list = await app.inject('/v1/models');
  assert.deepEqual(list.json(), { data: [], firstId: null, lastId: null, hasMore: false });
  const problem = assertProblem(await app.inject('/v1/models/shoes'), 404, 'model-not-found');
  assert.match(problem.detail, /No models exist yet; a training job publishes a model/);
});

test('models are listed newest first, page by page, each with its newest version', async () => {
  for (const modelName of ['b', 'a', 'b']) await train(app, tiny({ modelName }));
  const whole = (await app.inject('/v1/models')).json();
  const names = whole.data.map((model: { name: string }) => model.name);
  assert.deepEqual(names.toSorted(), ['a', 'b']);
  for (const model of whole.data) {
    assert.deepEqual(modelSchema.strict().parse(model), model);
    const { model_version_status: _, ...shown } = (await app.inject(`/v1/models/${model.name}`)).json();
    assert.deepEqual(shown, model);
    assert.equal(model.versions, model.name === 'b' ? 2 : 1);
    assert.equal(model.latest.version, model.versions);
  }
  const first = (await app.inject('/v1/models?limit=1')).json();
  assert.deepEqual(first, { data: [whole.data[0]], firstId: names[0], lastId: names[0], hasMore: true });
  const second = (await app.inject(`/v1/models?limit=1&after=${first.lastId}`)).json();
  assert.deepEqual(second, { data: [whole.data[1]], firstId: names[1], lastId: names[1], hasMore: false });
});

test('versions are listed newest first, page by page', async () => {
  const whole = (await app.inject('/v1/models/b/versions')).json();
  assert.deepEqual(
    whole.data.map((version: { version: number }) => version.version),
    [2, 1],
  );
  assert.deepEqual([whole.firstId, whole.lastId, whole.hasMore], ['2', '1', false]);
  for (const version of whole.data) {
    assert.deepEqual(modelVersionSchema.strict().parse(version), version);
    const response = await app.inject(`/v1/models/b/versions/${version.version}`);
    const { model_version_status: _, testSet: __, ...shown } = response.json();
    assert.deepEqual(shown, version);
  }
  const first = (await app.inject('/v1/models/b/versions?limit=1')).json();
  assert.deepEqual([first.data[0].version, first.hasMore], [2, true]);
  const second = (await app.inject('/v1/models/b/versions?limit=1&after=2')).json();
  assert.deepEqual([second.data[0].version, second.hasMore], [1, false]);
});

test('a missing resource gives 404 with the existing ones', async () => {
  const missing = assertProblem(await app.inject('/v1/models/c'), 404, 'model-not-found');
  assert.match(missing.detail, /Existing models: (a, b|b, a)/);
  const version = assertProblem(await app.inject('/v1/models/b/versions/3'), 404, 'model-not-found');
  assert.match(version.detail, /no version 3; its newest is 2/);
  assertProblem(await app.inject('/v1/models/c/versions'), 404, 'model-not-found');
  assertProblem(await app.inject(`/v1/models/${'c'.repeat(500)}`), 404, 'route-not-found');
});

test('rejects invalid versions and cursors by name', async () => {
  for (const version of ['0', '-1', '00', '1234567890', 'Newest', '1+1']) {
    const response = await app.inject(`/v1/models/b/versions/${version}`);
    assertProblem(response, 400, 'invalid-request', 'version');
  }
  for (const alias of ['1.5', 'newest', '1e300']) {
    assertProblem(await app.inject(`/v1/models/b/versions/${alias}`), 404, 'model-not-found');
  }
  assertProblem(await app.inject('/v1/models/b/versions?after=x'), 400, 'invalid-request', 'after');
  assertProblem(await app.inject('/v1/models?after=nobody'), 400, 'invalid-request', 'after');
});

test('a 404 for a model in training names its job', async () => {
  const job = await queueJob(app, { ...endless, modelName: 'coming' });
  await untilJob(app, job.id, isRunning);
  const problem = assertProblem(await app.inject('/v1/models/coming'), 404, 'model-not-found');
  assert.ok(problem.detail.endsWith(`A training job is running: ${job.id}, publishing coming.`));
  await cancelJob(app, job.id);
});
