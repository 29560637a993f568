import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import type { JobQueue } from '../../../src/queue/job-queue.ts';
import type { ModelService } from '../../../src/services/models/catalog.ts';
import { createWaits } from '../../../src/services/runs/waits.ts';
import { createTrainingService } from '../../../src/services/training/jobs.ts';
import { assertWebhookAllowed } from '../../../src/services/webhooks/origins.ts';
import { epochRecord, failure, newJob, runOf, temporaryStore, underway } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';
import {
  assertProblem,
  cancelJob,
  endless,
  hasEnded,
  isRunning,
  isUnderway,
  queueJob,
  startService,
  tiny,
  untilJob,
} from '../../support/start-service.ts';

const { app } = await startService(
  { after },
  {
    TRAINING_WORKERS: '1',
    QUEUE_LIMIT: '2',
    WEBHOOK_ORIGINS: 'http://127.0.0.1:9',
  },
);
const post = (payload: object) => app.inject({ method: 'POST', url: '/v1/training-jobs', payload });

test('a data set alone starts a job, and the response has every default', async () => {
  const running = await queueJob(app, endless);
  await untilJob(app, running.id, isRunning);
  const response = await post({ dataset: 'fashion-mnist' });
  assert.equal(response.statusCode, 202);
  const job = response.json<TrainingJob>();
  assert.equal(response.headers.location, `/v1/training-jobs/${job.id}`);
  assert.match(job.id, /^job_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.match(job.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(job, {
    id: job.id,
    status: 'queued',
    waiting: null,
    pauseReason: null,
    dataset: 'fashion-mnist',
    modelName: 'fashion-mnist',
    seed: 0,
    metadata: {},
    network: { convolutions: [], norm: 'none', hidden: [40], activation: 'relu', init: 'uniform-fan-in' },
    training: {
      epochs: 10,
      batchSize: 64,
      threads: 1,
      optimizer: { type: 'sgd', learningRate: 0.1, momentum: 0, nesterov: false, weightDecay: 0 },
      schedule: { type: 'constant' },
      l1: 0,
      l2: 0,
      dropout: 0,
      labelSmoothing: 0,
      clipNorm: null,
      classWeights: null,
      standardize: false,
      augmentation: { horizontalFlip: false, shift: 0, rotation: 0, scale: 0, noise: 0, erase: 0 },
      mixup: null,
      distillation: null,
      ema: null,
      validation: { fraction: 0.1 },
      earlyStopping: null,
      budget: null,
      checkpointEverySeconds: 5,
      keepCheckpoints: 'best',
    },
    gradientCheck: true,
    warmStart: null,
    publish: { promote: 'never', evenIfNotLearned: false },
    testSet: 'every-epoch',
    priority: 0,
    publication: null,
    notify: null,
    traceparent: null,
    preemptedBy: null,
    createdAt: job.createdAt,
    startedAt: null,
    finishedAt: null,
    progress: {
      epoch: 0,
      epochs: 10,
      step: 0,
      steps: 850,
      fraction: 0,
      imagesPerSecond: null,
      etaSeconds: null,
    },
    latest: null,
    warnings: [],
    best: null,
    model: null,
    gradientCheckReport: null,
    attempts: 0,
    stoppedAt: null,
    digest: null,
    error: null,
    receipt: null,
    search: null,
    verification: null,
  });
  await cancelJob(app, job.id);
  await cancelJob(app, running.id);
  await untilJob(app, running.id, hasEnded);
});

test('a job shows the state of its webhook, and nothing shows the secret', async () => {
  const notify = {
    url: 'http://127.0.0.1:9/hook',
    secret: `whsec_${Buffer.alloc(24, 1).toString('base64')}`,
  };
  const send = (changes: object, headers = {}) =>
    app.inject({
      method: 'POST',
      url: '/v1/training-jobs',
      headers,
      payload: { ...endless, notify: { ...notify, ...changes } },
    });
  const headers = { 'idempotency-key': 'webhook' };
  const created = await send({}, headers);
  const { id } = created.json<TrainingJob>();
  const state = { url: notify.url, deliveredAt: null, attempts: 0, lastError: null, nextAttemptAt: null };
  assert.deepEqual(created.json<TrainingJob>().notify, state);
  const replayed = await send({}, headers);
  assert.equal(replayed.body, created.body);
  assertProblem(await send({ url: `${notify.url}2` }, headers), 422, 'idempotency-key-reused');
  await untilJob(app, id, isRunning);
  await cancelJob(app, id);
  const ended = await untilJob(app, id, hasEnded);
  assert.equal(ended.notify!.url, notify.url);
  assert.ok(ended.receipt);
  const responses = [created];
  for (const url of ['/v1/training-jobs', `/v1/training-jobs/${id}`, `/v1/training-jobs/${id}/events`]) {
    responses.push(await app.inject({ url }));
  }
  const other = await send({ url: 'http://127.0.0.1:10/hook' });
  const problem = assertProblem(other, 422, 'webhook-not-allowed');
  assert.match(problem.detail, /127.0.0.1:10 are not allowed. WEBHOOK_ORIGINS allows http:..127.0.0.1:9/);
  assert.equal((problem.errors![0] as { pointer: string }).pointer, '#/notify/url');
  for (const secret of [
    'whsec_c2hvcnQ=',
    notify.secret.slice(6),
    `${notify.secret}!`,
    `whsec_${'A'.repeat(88)}`,
    7,
  ]) {
    const refused = await send({ secret });
    assert.match(
      assertProblem(refused, 400, 'invalid-request').detail,
      /`whsec_` followed by 24 to 64 random bytes/,
    );
    responses.push(refused);
  }
  for (const url of [
    'ftp://127.0.0.1:9/',
    'http://me:pw@127.0.0.1:9/',
    'http://127.0.0.1:9/#',
    'http://',
    '/hook',
  ]) {
    assert.match(assertProblem(await send({ url }), 400, 'invalid-request').detail, /without credentials/);
  }
  for (const { body } of responses) assert.doesNotMatch(body, /whsec_[\w+/]|AQEB/);
  assert.throws(
    () => assertWebhookAllowed(notify, []),
    /setting WEBHOOK_ORIGINS, for example to http:..127.0.0.1:9/,
  );
});

test('with one slot jobs run one after the other, in order of arrival', async () => {
  const first = await queueJob(app, endless);
  await untilJob(app, first.id, isRunning);
  const second = await queueJob(app);
  const third = await queueJob(app);
  await cancelJob(app, first.id);
  const jobs = [];
  for (const { id } of [first, second, third]) jobs.push(await untilJob(app, id, hasEnded));
  assert.deepEqual(
    jobs.map((job) => job.status),
    ['cancelled', 'succeeded', 'succeeded'],
  );
  assert.ok(jobs[0]!.finishedAt! <= jobs[1]!.startedAt!);
  assert.ok(jobs[1]!.finishedAt! <= jobs[2]!.startedAt!);
});

test('a full queue gives 429 with Retry-After, and the running job does not count', async () => {
  const running = await queueJob(app, endless);
  await untilJob(app, running.id, isUnderway);
  const waiting = [await queueJob(app), await queueJob(app)];
  for (;;) {
    const before = await untilJob(app, running.id, isUnderway);
    const refused = await post(tiny());
    const problem = assertProblem(refused, 429, 'queue-full');
    assert.match(problem.detail, /2 training jobs are queued/);
    const after = await untilJob(app, running.id, isUnderway);
    // Otherwise the job has reported progress in between.
    if (before.progress.step !== after.progress.step) continue;
    assert.equal(
      refused.headers['retry-after'],
      String(Math.min(3600, Math.ceil(after.progress.etaSeconds!))),
    );
    break;
  }
  for (const { id } of waiting) await cancelJob(app, id);
  await cancelJob(app, await queueJob(app).then((job) => job.id));
  await cancelJob(app, running.id);
  await untilJob(app, running.id, hasEnded);
});

test('resuming into a full queue gives 429 with Retry-After', async () => {
  const running = await queueJob(app, endless);
  await untilJob(app, running.id, isUnderway);
  const act = (id: string, action: string) =>
    app.inject({ method: 'POST', url: `/v1/training-jobs/${id}/${action}` });
  const { id } = await queueJob(app);
  assert.equal((await act(id, 'pause')).statusCode, 202);
  const waiting = [await queueJob(app), await queueJob(app)];
  const refused = await act(id, 'resume');
  assertProblem(refused, 429, 'queue-full');
  assert.match(String(refused.headers['retry-after']), /^[1-9][0-9]*$/);
  await untilJob(app, id, ({ status }) => status === 'paused');
  await cancelJob(app, waiting[0]!.id);
  assert.equal((await act(id, 'resume')).statusCode, 202);
  for (const job of [id, waiting[1]!.id, running.id]) await cancelJob(app, job);
  await untilJob(app, running.id, hasEnded);
});

test('a queued job is cancelled immediately and never runs', async () => {
  const running = await queueJob(app, endless);
  await untilJob(app, running.id, isRunning);
  const cancelled = await cancelJob(app, (await queueJob(app)).id);
  assert.equal(cancelled.status, 'cancelled');
  assert.deepEqual(cancelled.stoppedAt, { step: 0, reason: 'cancelled' });
  assert.ok(cancelled.finishedAt);
  assert.deepEqual([cancelled.startedAt, cancelled.attempts], [null, 0]);
  await cancelJob(app, running.id);
  await untilJob(app, running.id, hasEnded);
  const again = await app.inject({ method: 'POST', url: `/v1/training-jobs/${cancelled.id}/cancel` });
  assertProblem(again, 409, 'illegal-transition');
});

test('a running job is cancelled between batches, keeps its metrics, and reports its step', async () => {
  const { id } = await queueJob(app, endless);
  await untilJob(app, id, (job) => isUnderway(job) && job.latest !== null);
  assert.equal((await cancelJob(app, id)).status, 'cancelling');
  const job = await untilJob(app, id, hasEnded);
  assert.equal(job.status, 'cancelled');
  assert.equal(job.stoppedAt?.reason, 'cancelled');
  assert.ok(job.stoppedAt.step >= job.progress.step && job.stoppedAt.step < job.progress.steps);
  assert.deepEqual([job.model, job.digest, job.error], [null, null, null]);
  assert.ok(job.latest);
  const metrics = await app.inject(`/v1/training-jobs/${id}/metrics`);
  assert.deepEqual(metrics.json().data.at(-1), job.latest);
});

test('rejects a batch larger than the training split, with its size', async () => {
  const body = tiny({ training: { batchSize: 1024, validation: { fraction: 0.9 } } });
  const problem = assertProblem(await post(body), 422, 'impossible-request', '#/training/batchSize');
  assert.match(problem.detail, /1024 is larger than the training split of 600 images \(5400 of 6000/);
  assert.equal(problem.errors?.[0]?.detail, 'Must be at most 600.');
});

test('rejects an unknown data set and lists the existing ones', async () => {
  const problem = assertProblem(await post({ dataset: 'mnist' }), 422, 'unknown-dataset', '#/dataset');
  assert.match(problem.detail, /fashion-mnist/);
});

test('the metrics of a job that does not exist are not found, also for a client that has a copy', async () => {
  const headers = { 'if-none-match': '*' };
  const response = await app.inject({ url: '/v1/training-jobs/job_nobody/metrics', headers });
  assertProblem(response, 404, 'training-job-not-found');
});

test('the jobs of a search are paused and resumed by it alone, until they have ended', async (t) => {
  const store = await temporaryStore(t);
  const own = (await store.jobs.get(await newJob(store)))!;
  let job = own;
  const ask = async (_id: string, precondition?: (current: TrainingJob) => void) => {
    precondition?.(job);
    return job;
  };
  const calls: string[] = [];
  const queue = { notify: () => calls.push('notify'), stop: (id: string) => calls.push(`stop ${id}`) };
  const waits = createWaits('storage');
  const { pause, resume } = createTrainingService({
    store: { ...store, jobs: { ...store.jobs, requestPause: ask, resume: ask } },
    catalog: catalogOf(),
    models: {} as ModelService,
    queue: queue as unknown as JobQueue,
    resolve: () => assert.fail(),
    waits,
    queueLimit: 1,
    slots: () => 1,
  });
  const search = { id: 'sea_1', trial: 2, repeat: 0 } as unknown as TrainingJob['search'];
  for (const change of [pause, resume]) {
    job = { ...own, search };
    await assert.rejects(change(own.id), failure('illegal-transition', own.id, 'belongs to search sea_1.'));
    assert.deepEqual(calls, []);
    for (job of [own, { ...own, search, status: 'succeeded' as const }]) await change(own.id);
    assert.deepEqual(
      calls.splice(0),
      change === pause ? [`stop ${own.id}`, 'notify', `stop ${own.id}`, 'notify'] : ['notify', 'notify'],
    );
    using _waiting = waits.add(own.id);
    const compare = ({ waiting }: TrainingJob) => {
      throw new Error(`waits for ${waiting}`);
    };
    await assert.rejects(change(own.id, compare), /^Error: waits for storage$/);
  }
});

test('the last epoch of a job is that of its last metrics, and 0 before its first', async (t) => {
  const store = await temporaryStore(t);
  const { lastEpoch } = createTrainingService({
    store,
    waits: createWaits('storage'),
  } as unknown as Parameters<typeof createTrainingService>[0]);
  const id = await newJob(store, 'running');
  assert.equal(await lastEpoch(id), 0);
  const epochs = [1, 2].map((epoch) => ({ record: epochRecord(epoch, 0.5), warnings: [] }));
  await runOf(id).recordEpochs(epochs, underway);
  assert.equal(await lastEpoch(id), 2);
  await assert.rejects(lastEpoch('job_nobody'), failure('training-job-not-found', 'job_nobody'));
});
