import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { JobEvent, TrainingJob } from '../../../src/domain/jobs/training.ts';
import { startService, temporaryDirectory, tiny, train } from '../../support/start-service.ts';

const file = { after };
const stateDir = await temporaryDirectory(file);
const { app } = await startService(file, { STATE_DIR: stateDir, TRAINING_WORKERS: '2' });

async function eventsOf(id: string): Promise<JobEvent[]> {
  return (await app.inject(`/v1/training-jobs/${id}/events`)).json().data;
}

test('each success publishes the next version, with the digest of its bytes', async () => {
  const jobs = [
    await train(app, tiny({ modelName: 'twice' })),
    await train(app, tiny({ modelName: 'twice', seed: 1 })),
  ];
  for (const [index, job] of jobs.entries()) {
    assert.deepEqual([job.status, job.attempts, job.error], ['succeeded', 1, null]);
    assert.deepEqual(job.model, { name: 'twice', version: index + 1 });
    assert.deepEqual(job.stoppedAt, { step: 2, reason: 'completed' });
    const { imagesPerSecond, ...progress } = job.progress;
    assert.ok(imagesPerSecond! > 0);
    assert.deepEqual(progress, { epoch: 1, epochs: 1, step: 2, steps: 2, fraction: 1, etaSeconds: 0 });

    const response = await app.inject(`/v1/models/twice/versions/${index + 1}`);
    const { model_version_status: status, testSet, ...version } = response.json();
    assert.equal(status[0].state, 'AVAILABLE');
    assert.equal(testSet.looks.lineage, 1);
    assert.deepEqual(version, {
      name: 'twice',
      version: index + 1,
      createdAt: version.createdAt,
      aliases: index === 0 ? ['champion'] : [],
      description: null,
      metadata: {},
      tags: [],
      inputShape: [28, 28],
      layers: '784-4-10',
      parameters: 3190,
      convolutions: [],
      norm: 'none',
      layerSizes: [784, 4, 10],
      activation: 'relu',
      standardization: null,
      preprocessing: null,
      classNames: (await app.inject('/v1/datasets/fashion-mnist')).json().classNames,
      engine: 'simd-float32',
      fused: version.fused,
      testAccuracy: job.latest!.testAccuracy,
      calibration: null,
      digest: job.digest,
      lineage: {
        source: 'training',
        jobId: job.id,
        dataset: {
          id: 'fashion-mnist',
          digest: (await app.inject('/v1/datasets/fashion-mnist')).json().digest,
        },
        seed: job.seed,
        request: job.receipt!.request,
        parent: null,
        teachers: [],
        import: null,
        copiedFrom: null,
      },
    });
    const bytes = await readFile(join(stateDir, 'blobs', job.digest!.replace('sha256:', '')));
    assert.equal(bytes.length, 4 * (4 * 785 + 10 * 5));
    assert.equal(`sha256:${createHash('sha256').update(bytes).digest('hex')}`, job.digest);
  }
});

test('the same request and seed give the same parameters bit for bit, another seed does not', async () => {
  const body = (seed: number) => tiny({ modelName: 'repeated', seed });
  const [first, again, other] = await Promise.all([
    train(app, body(7)),
    train(app, body(7)),
    train(app, body(8)),
  ]);
  assert.match(first.digest!, /^sha256:[0-9a-f]{64}$/);
  assert.equal(first.digest, again.digest);
  assert.notEqual(first.digest, other.digest);
  const measured = ({ latest }: typeof first) => ({ ...latest, durationMs: 0, evaluationMs: 0 });
  assert.deepEqual(measured(first), measured(again));
});

test('with ema, the version, its epoch record and its checkpoint have the average of the parameters', async () => {
  const training = { ...tiny().training, epochs: 3, keepCheckpoints: 'last' as const };
  const [last, averaged] = await Promise.all([
    train(app, tiny({ modelName: 'last', training })),
    train(app, tiny({ modelName: 'averaged', training: { ...training, ema: {} } })),
  ]);
  assert.deepEqual(averaged.training.ema, { decay: 0.999 });
  assert.notEqual(averaged.digest, last.digest);
  assert.equal(averaged.latest!.trainLoss, last.latest!.trainLoss);
  assert.notEqual(averaged.latest!.validationLoss, last.latest!.validationLoss);

  const payload = { image: Array.from({ length: 784 }, (_, i) => i % 256) };
  const probabilities = async (url: string) => {
    const response = await app.inject({ method: 'POST', url: `${url}/predictions`, payload });
    return response.json().predictions;
  };
  const { step } = averaged.stoppedAt!;
  assert.deepEqual(
    await probabilities(`/v1/training-jobs/${averaged.id}/checkpoints/${step}`),
    await probabilities('/v1/models/averaged'),
  );
});

test('testSet decides when the test split is measured, and changes no parameters', async () => {
  const run = (testSet?: TrainingJob['testSet']) =>
    train(app, tiny({ modelName: 'tested', ...(testSet && { testSet }) }));
  const jobs = await Promise.all([run(), run('once'), run('never')]);
  assert.deepEqual(
    jobs.map(({ testSet, digest }) => [testSet, digest]),
    ['every-epoch', 'once', 'never'].map((testSet) => [testSet, jobs[0]!.digest]),
  );
  const { testAccuracy, testLoss } = jobs[0]!.latest!;
  assert.ok(testAccuracy! > 0 && testLoss! > 0);
  const versions = await Promise.all(
    jobs.map(async ({ model }) => (await app.inject(`/v1/models/tested/versions/${model!.version}`)).json()),
  );
  assert.deepEqual(
    versions.map((version) => version.testAccuracy),
    [testAccuracy, testAccuracy, null],
  );
  for (const { id } of jobs.slice(1)) {
    const url = `/v1/training-jobs/${id}/metrics`;
    const csv = (await app.inject({ url, headers: { accept: 'text/csv' } })).body.split('\r\n');
    const column = csv[0]!.split(',').indexOf('testLoss');
    assert.deepEqual(csv[1]!.split(',').slice(column, column + 2), ['', '']);
    const { data } = (await eventsOf(id)).find(({ type }) => type === 'epoch')!;
    assert.deepEqual([data['testLoss'], data['testAccuracy']], [null, null]);
  }
});

test('events are numbered from 1 without gaps and list every change in order', async () => {
  const training = { epochs: 3, batchSize: 1024, validation: { fraction: 0.8 } };
  const job = await train(app, tiny({ modelName: 'told', training }));
  const events = await eventsOf(job.id);
  assert.deepEqual(
    events.map((event) => event.id),
    Array.from(events.keys(), (index) => index + 1),
  );
  const times = events.map((event) => event.at);
  assert.deepEqual(times, times.toSorted());
  // The number of progress and checkpoint events depends on time.
  const told = events.filter(({ type }) => type !== 'progress' && type !== 'checkpoint');
  assert.deepEqual(
    told.map(({ type, data }) =>
      type === 'status' ? `${data['from'] ?? ''}→${data['to']}` : `${type} ${data['epoch']}`,
    ),
    ['→queued', 'queued→running', 'epoch 1', 'epoch 2', 'epoch 3', 'running→succeeded'],
  );
  const metrics = (await app.inject(`/v1/training-jobs/${job.id}/metrics`)).json().data;
  assert.deepEqual(
    told.filter((event) => event.type === 'epoch').map((event) => event.data),
    metrics,
  );
  assert.deepEqual(job.latest, metrics[2]);
  const losses = metrics.map((record: { validationLoss: number }) => record.validationLoss);
  assert.equal(job.best?.validationLoss, Math.min(...losses));
});

test('an exponential schedule multiplies the rate after every epoch', async () => {
  const training = {
    epochs: 3,
    batchSize: 1024,
    validation: { fraction: 0.8 },
    optimizer: { learningRate: 0.5 },
    schedule: { type: 'exponential' as const, factor: 0.5 },
  };
  const { id } = await train(app, tiny({ modelName: 'falling', training }));
  const { data } = (await app.inject(`/v1/training-jobs/${id}/metrics`)).json();
  assert.deepEqual(
    data.map((record: { learningRate: number }) => record.learningRate),
    [0.5, 0.25, 0.125],
  );
});

for (const { title, hidden, sizes, dead } of [
  { title: 'no hidden layer, which is softmax regression', hidden: [], sizes: [784, 10], dead: 0 },
  { title: 'three hidden layers', hidden: [6, 5, 4], sizes: [784, 6, 5, 4, 10], dead: 3 },
]) {
  test(`trains and publishes a network with ${title}, which predicts`, async () => {
    const job = await train(app, tiny({ modelName: `layers-${hidden.length}`, network: { hidden } }));
    assert.equal(job.status, 'succeeded');
    assert.equal(job.latest?.deadUnits.length, dead);
    const model = (await app.inject(`/v1/models/layers-${hidden.length}`)).json();
    assert.deepEqual(model.latest.layerSizes, sizes);
    const predicted = await app.inject({
      method: 'POST',
      url: `/v1/models/layers-${hidden.length}/predictions`,
      headers: { 'content-type': 'application/octet-stream' },
      payload: Buffer.alloc(784, 1),
    });
    assert.equal(predicted.statusCode, 200);
  });
}

test('without validation all images are trained on, and the training loss selects the best epoch', async () => {
  const training = { epochs: 2, batchSize: 1024, validation: null };
  const job = await train(app, tiny({ modelName: 'all', training }));
  assert.equal(job.progress.steps, 2 * Math.ceil(6000 / 1024));
  assert.deepEqual([job.latest?.validationLoss, job.latest?.validationAccuracy], [null, null]);
  const { data } = (await app.inject(`/v1/training-jobs/${job.id}/metrics`)).json();
  const losses = data.map((record: { trainLoss: number }) => record.trainLoss);
  assert.equal(job.best?.trainLoss, Math.min(...losses));
  assert.ok(job.best!.trainLoss < Math.log(10), 'it learned more than chance');
});

test('a diverging job fails immediately with code and advice, and publishes nothing', async () => {
  const deep = { hidden: new Array(8).fill(32) };
  const training = { epochs: 50, optimizer: { learningRate: 100 }, validation: { fraction: 0.1 } };
  const job = await train(app, tiny({ modelName: 'diverged', network: deep, training }));
  assert.equal(job.status, 'failed');
  assert.equal(job.error?.code, 'loss-diverged');
  assert.match(job.error.message, /rate of 100\. Lower training\.optimizer\.learningRate/);
  assert.equal(job.stoppedAt?.reason, 'failed');
  assert.ok(job.stoppedAt.step < 85, 'within the first epoch');
  assert.deepEqual([job.model, job.digest], [null, null]);
  assert.equal((await app.inject('/v1/models/diverged')).statusCode, 404);
  const [error, status] = (await eventsOf(job.id)).slice(-2);
  assert.deepEqual([error?.type, error?.data], ['error', job.error]);
  assert.deepEqual([status?.type, status?.data], ['status', { from: 'running', to: 'failed' }]);
});

test('a training that explodes with finite losses fails with advice and its checkpoint, and publishes nothing', async () => {
  const training = {
    epochs: 2,
    batchSize: 1024,
    validation: { fraction: 0.8 },
    optimizer: { type: 'adam', learningRate: 100 },
  } as const;
  const job = await train(app, tiny({ modelName: 'exploded', network: { hidden: [8] }, training }));
  assert.ok(job.latest!.trainLoss > 100 * Math.log(10) && Number.isFinite(job.latest!.testLoss));
  assert.deepEqual(
    [job.status, job.error?.code, job.model, job.digest],
    ['failed', 'loss-diverged', null, null],
  );
  assert.match(
    job.error!.message,
    /training loss of epoch 2 was \S+; a uniform guess has 2\.30\. Lower training\.optimizer\.learningRate \(100\)/,
  );
  assert.deepEqual(job.stoppedAt, { step: 4, reason: 'failed' });
  assert.equal((await app.inject('/v1/models/exploded')).statusCode, 404);
  const { data } = (await app.inject(`/v1/training-jobs/${job.id}/checkpoints`)).json();
  assert.equal(data.at(-1).step, 4);
});
