import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import type { CheckpointRecord } from '../../../../src/domain/jobs/checkpoint.ts';
import { checkpointSchema } from '../../../../src/domain/jobs/checkpoint.ts';
import type { JobEvent, TrainingJob } from '../../../../src/domain/jobs/training.ts';
import {
  assertProblem,
  cancelJob,
  endless,
  hasEnded,
  isUnderway,
  queueJob,
  startService,
  testImage,
  tiny,
  train,
  untilJob,
} from '../../../support/start-service.ts';

const oneAtATime = (t: TestContext) => startService(t, { TRAINING_WORKERS: '1' });

const ask = (app: FastifyInstance, id: string, action: 'pause' | 'resume' | 'cancel') =>
  app.inject({ method: 'POST', url: `/v1/training-jobs/${id}/${action}` });

async function change(app: FastifyInstance, id: string, action: 'pause' | 'resume'): Promise<TrainingJob> {
  const response = await ask(app, id, action);
  assert.equal(response.statusCode, 202, response.body);
  return response.json();
}

const untilPaused = (app: FastifyInstance, id: string) =>
  untilJob(app, id, ({ status }) => status === 'paused');

async function checkpointsOf(app: FastifyInstance, id: string): Promise<CheckpointRecord[]> {
  return (await app.inject(`/v1/training-jobs/${id}/checkpoints`)).json().data;
}

async function statusesOf(app: FastifyInstance, id: string): Promise<unknown[]> {
  const events: JobEvent[] = (await app.inject(`/v1/training-jobs/${id}/events?limit=1000`)).json().data;
  return events.flatMap(({ type, data }) => (type === 'status' ? [data['to']] : []));
}

test('a queued job is paused immediately and skipped, and runs when it is resumed', async (t) => {
  const { app } = await oneAtATime(t);
  const { id: running } = await queueJob(app, endless);
  await untilJob(app, running, isUnderway);
  const { id: paused } = await queueJob(app);
  const { id: behind } = await queueJob(app);
  assert.equal((await change(app, paused, 'pause')).status, 'paused');
  await cancelJob(app, running);
  await untilJob(app, behind, hasEnded);
  assert.equal((await untilPaused(app, paused)).startedAt, null);
  assert.deepEqual(await checkpointsOf(app, paused), []);
  assert.equal((await change(app, paused, 'resume')).status, 'queued');
  assert.equal((await untilJob(app, paused, hasEnded)).status, 'succeeded');
});

test('a paused job has a checkpoint of its position, and its slot is free', async (t) => {
  const { app } = await oneAtATime(t);
  const { id } = await queueJob(app, endless);
  const { progress } = await untilJob(app, id, isUnderway);
  assert.equal((await change(app, id, 'pause')).status, 'pausing');
  const paused = await untilPaused(app, id);
  assert.deepEqual([paused.finishedAt, paused.stoppedAt, paused.digest], [null, null, null]);
  const last = (await checkpointsOf(app, id)).at(-1);
  assert.ok(last!.step >= progress.step);
  assert.equal((await train(app)).status, 'succeeded');
  await change(app, id, 'resume');
  const further = await untilJob(app, id, (job) => job.progress.step > last!.step);
  assert.equal(further.startedAt, paused.startedAt);
  await cancelJob(app, id);
  await untilJob(app, id, hasEnded);
  assert.deepEqual(await statusesOf(app, id), [
    'queued',
    'running',
    'pausing',
    'paused',
    'queued',
    'running',
    'cancelling',
    'cancelled',
  ]);
});

test('a transition that the status does not allow gives 409 with the status', async (t) => {
  const { app } = await oneAtATime(t);
  const ended = await train(app);
  const { id: running } = await queueJob(app, endless);
  await untilJob(app, running, isUnderway);
  const { id: queued } = await queueJob(app);
  const { id: paused } = await queueJob(app);
  await change(app, paused, 'pause');
  const refused: [id: string, action: 'pause' | 'resume', status: string][] = [
    [ended.id, 'pause', 'succeeded'],
    [ended.id, 'resume', 'succeeded'],
    [running, 'resume', 'running'],
    [queued, 'resume', 'queued'],
    [paused, 'pause', 'paused'],
  ];
  for (const [id, action, status] of refused) {
    const { detail } = assertProblem(await ask(app, id, action), 409, 'illegal-transition');
    assert.match(detail, new RegExp(`^A ${status} job`, 'i'));
  }
  for (const action of ['pause', 'resume'] as const) {
    assertProblem(await ask(app, 'job_0', action), 404, 'training-job-not-found');
  }
  assertProblem(await app.inject('/v1/training-jobs/job_0/checkpoints'), 404, 'training-job-not-found');
});

test('cancelling wins over pausing, in either order', async (t) => {
  const { app } = await oneAtATime(t);
  const orders = [
    { first: 'cancel', second: 'pause', answer: 409 },
    { first: 'pause', second: 'cancel', answer: 202 },
    { first: 'pause', second: 'pause', answer: 409 },
    { first: 'pause', second: 'resume', answer: 409 },
  ] as const;
  for (const { first, second, answer } of orders) {
    const { id } = await queueJob(app, endless);
    await untilJob(app, id, isUnderway);
    // Both requests are sent at once, so the thread cannot stop between them.
    const [one, other] = await Promise.all([ask(app, id, first), ask(app, id, second)]);
    assert.deepEqual([one.statusCode, other.statusCode], [202, answer], other.body);
    const settled =
      first === 'pause' && second !== 'cancel'
        ? await untilPaused(app, id)
        : await untilJob(app, id, hasEnded);
    if (settled.status === 'paused') assert.equal((await cancelJob(app, id)).status, 'cancelled');
    else assert.equal(settled.status, 'cancelled');
  }
});

test('a checkpoint predicts, starts trainings and checks gradients like a model, even if its job is cancelled', async (t) => {
  const { app } = await oneAtATime(t);
  const picture = await testImage(app, 0);
  const { id } = await queueJob(app, endless);
  await untilJob(app, id, isUnderway);
  await change(app, id, 'pause');
  await untilPaused(app, id);
  await cancelJob(app, id);
  const checkpoints = await checkpointsOf(app, id);
  for (const checkpoint of checkpoints) {
    assert.deepEqual(checkpointSchema.strict().parse(checkpoint), checkpoint);
  }
  const { step } = checkpoints.at(-1)!;
  const url = (at: number) => `/v1/training-jobs/${id}/checkpoints/${at}/predictions`;
  const headers = { 'content-type': 'application/octet-stream' };
  const post = (to: string) => app.inject({ method: 'POST', url: to, headers, payload: picture });
  const predicted = await post(url(step));
  assert.equal(predicted.statusCode, 200, predicted.body);
  const { model, predictions } = predicted.json();
  assert.deepEqual([model, predictions.length], [{ name: id, version: step }, 1]);
  const { detail } = assertProblem(await post(url(step + 1)), 404, 'checkpoint-not-found');
  assert.match(detail, new RegExp(`it has: .*${step}`));

  // This learning rate changes nothing, so the published parameters are those of the checkpoint.
  const still = { ...tiny().training, optimizer: { learningRate: 1e-30 } };
  const started = await train(app, tiny({ modelName: 'from', training: still, warmStart: `${id}@${step}` }));
  assert.deepEqual([started.status, started.warmStart], ['succeeded', { name: id, version: step }]);
  assert.deepEqual((await post('/v1/models/from/predictions')).json().predictions, predictions);
  for (const [missing, said] of [
    [`${id}@${step + 1}`, /has no checkpoint of step/],
    ['job_00000000000000000000000000@1', /^Training job job_0{26} does not exist\./],
  ] as const) {
    const body = tiny({ warmStart: missing });
    const refused = await app.inject({ method: 'POST', url: '/v1/training-jobs', payload: body });
    assert.match(assertProblem(refused, 422, 'unknown-model', '#/warmStart').detail, said);
  }
  const check = { dataset: 'fashion-mnist', model: `${id}@${step}`, coordinates: { sample: 50 } };
  const checked = await app.inject({ method: 'POST', url: '/v1/gradient-checks', payload: check });
  assert.equal(checked.statusCode, 200, checked.body);
});
