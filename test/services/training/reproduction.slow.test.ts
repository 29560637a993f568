import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import type { JobEvent, TrainingJob } from '../../../src/domain/jobs/training.ts';
import {
  assertProblem,
  cancelJob,
  endless,
  hasEnded,
  isRunning,
  queueJob,
  startService,
  type TrainingBody,
  temporaryDirectory,
  tiny,
  train,
  untilJob,
} from '../../support/start-service.ts';

const scope = { after };
const STATE_DIR = await temporaryDirectory(scope);
const { app } = await startService(scope, { STATE_DIR });
/** A second connection to the service's database. */
const database = new DatabaseSync(join(STATE_DIR, 'atelier.sqlite'), { timeout: 5000 });
after(() => database.close());

type Training = NonNullable<TrainingBody['training']>;
const trained = (training: Training, changes: Partial<TrainingBody> = {}) => {
  const base = { batchSize: 1024, validation: { fraction: 0.8 } };
  return train(app, tiny({ network: { hidden: [8] }, training: { ...base, ...training }, ...changes }));
};

const post = (path: string, headers = {}) =>
  app.inject({ method: 'POST', url: `/v1/training-jobs/${path}`, headers });

/** Requests a verification and returns the queued job. */
async function requestVerification({ id }: TrainingJob): Promise<TrainingJob> {
  const response = await post(`${id}/verify`);
  assert.equal(response.statusCode, 202, response.body);
  const job = response.json<TrainingJob>();
  assert.equal(response.headers['location'], `/v1/training-jobs/${job.id}`);
  return job;
}

const verify = async (job: TrainingJob) => untilJob(app, (await requestVerification(job)).id, hasEnded);
const agreeing = { agrees: true, sameKernel: true, sameProcessor: true };

const endings: Record<string, { training: Training; changes?: Partial<TrainingBody> }> = {
  completed: { training: { epochs: 3, dropout: 0.25, augmentation: { shift: 2 }, threads: 2 } },
  'early-stopping': {
    training: { epochs: 60, optimizer: { learningRate: 2 }, earlyStopping: { patience: 3 } },
  },
  'target-reached': { training: { epochs: 100, budget: { targetValidationAccuracy: 0.24, seconds: 600 } } },
  budget: {
    training: { epochs: 10_000, batchSize: 16, optimizer: { type: 'adam' }, budget: { seconds: 0.3 } },
  },
};

for (const [reason, { training }] of Object.entries(endings)) {
  test(`a training that ended by ${reason} is reproduced with the same parameters`, async () => {
    const job = await trained(training);
    assert.deepEqual([job.status, job.stoppedAt?.reason, job.verification], ['succeeded', reason, null]);
    const versions = (await app.inject('/v1/models/fashion-mnist/versions')).json();
    const again = await verify(job);
    assert.deepEqual([again.status, again.digest, again.model], ['succeeded', job.digest, null]);
    assert.equal(again.stoppedAt?.step, job.stoppedAt?.step);
    assert.deepEqual(again.verification, { of: job.id, expected: job.digest, ...agreeing });
    assert.deepEqual((await app.inject('/v1/models/fashion-mnist/versions')).json(), versions);
    const { data } = (await app.inject(`/v1/training-jobs/${again.id}/events?limit=1000`)).json();
    const { type, data: told }: JobEvent = data.at(-1);
    assert.deepEqual(
      [type, told],
      ['status', { from: 'running', to: 'succeeded', verification: again.verification }],
    );
    for (const { id } of [job, again]) {
      const response = await app.inject(`/v1/training-jobs/${id}/path?snapshots=9&grid=2&examples=50`);
      assert.equal(response.statusCode, 200, response.body);
      const { agrees, points } = response.json();
      assert.deepEqual([agrees, points.at(-1).step], [true, job.stoppedAt!.step]);
    }
  });
}

test('a receipt lists what the digest depends on, and equals the receipt of the reproduction', async () => {
  const job = await trained({ epochs: 1 }, { seed: 3, modelName: 'receipted' });
  const { id: _, digest: __, receipt, ...rest } = job;
  const wasm = await readFile(new URL('../../../src/numerics/simd/kernel.wasm', import.meta.url));
  const version = (await app.inject('/v1/models/receipted/versions/1')).json();
  const { dataset, modelName, seed, metadata, network, training, gradientCheck, warmStart, publish } = rest;
  const { priority, testSet } = rest;
  const request = {
    dataset,
    modelName,
    seed,
    metadata,
    network,
    training,
    gradientCheck,
    warmStart,
    publish,
    priority,
    testSet,
  };
  assert.deepEqual(receipt, {
    dataset: { id: 'fashion-mnist', digest: (await app.inject('/v1/datasets/fashion-mnist')).json().digest },
    request,
    seed: 3,
    kernel: { name: version.engine, digest: `sha256:${createHash('sha256').update(wasm).digest('hex')}` },
    fused: version.fused,
    stoppedAt: { step: 2, reason: 'completed' },
    mixed: false,
    digest: job.digest,
  });
  const again = await verify(job);
  assert.deepEqual(again.receipt, receipt);
  assert.equal((await verify(again)).verification?.agrees, true, 'a verification can be verified');
});

test('one and two threads give the same digest, and both are verified', async () => {
  const [one, two] = [await trained({ epochs: 2, threads: 1 }), await trained({ epochs: 2, threads: 2 })];
  assert.equal(one.digest, two.digest);
  // Gives the first job the request of the second: the receipts differ in `threads` only.
  database
    .prepare('update jobs set request = ? where id = ?')
    .run(JSON.stringify(two.receipt!.request), one.id);
  assert.deepEqual((await verify(one)).verification, { of: one.id, expected: one.digest, ...agreeing });
  assert.equal((await verify(two)).verification?.agrees, true);
});

test('a warm start is reproduced from the same version, even if a newer one exists', async () => {
  await trained({ epochs: 1 }, { modelName: 'start' });
  const job = await trained({ epochs: 1 }, { modelName: 'start', warmStart: 'start' });
  assert.deepEqual(job.warmStart, { name: 'start', version: 1 });
  assert.equal((await verify(job)).verification?.agrees, true);
});

test('detects a digest that differs from the training', async () => {
  const job = await trained({ epochs: 1 });
  const forged = job.digest!.replace(/.{4}$/, (end) => (end === '0000' ? 'ffff' : '0000'));
  database.prepare('update jobs set digest = ? where id = ?').run(forged, job.id);
  const again = await verify(job);
  assert.deepEqual([again.status, again.digest], ['succeeded', job.digest]);
  assert.deepEqual(again.verification, { of: job.id, expected: forged, ...agreeing, agrees: false });
});

test('reports whether kernel and processor are the same', async () => {
  const job = await trained({ epochs: 1 });
  const elsewhere = database.prepare(
    `update jobs set circumstances = json_set(circumstances, '$.kernel.digest', 'sha256:0', '$.fused', json(?)) where id = ?`,
  );
  elsewhere.run(String(!job.receipt!.fused), job.id);
  const { verification } = await verify(job);
  assert.deepEqual(verification, {
    of: job.id,
    expected: job.digest,
    agrees: true,
    sameKernel: false,
    sameProcessor: false,
  });
});

test('only successful jobs can be verified, but every job that ran has a receipt', async () => {
  const failing = { epochs: 50, optimizer: { learningRate: 100 }, validation: { fraction: 0.1 } };
  const failed = await trained(failing, { network: { hidden: new Array(8).fill(32) } });
  const { digest, stoppedAt, seed } = failed.receipt!;
  assert.deepEqual([digest, stoppedAt, seed], [null, failed.stoppedAt, 0]);
  const busy = [await queueJob(app, endless), await queueJob(app, endless)];
  for (const { id } of busy) await untilJob(app, id, isRunning);
  const queued = await queueJob(app);
  await cancelJob(app, queued.id);
  const refused = [failed.id, busy[0]!.id, queued.id];
  for (const [index, status] of ['failed', 'running', 'cancelled'].entries()) {
    const { detail } = assertProblem(await post(`${refused[index]}/verify`), 409, 'illegal-transition');
    assert.match(detail, new RegExp(`is ${status} and cannot be verified`));
  }
  assertProblem(await post('job_0/verify'), 404, 'training-job-not-found');
  for (const { id } of busy) await cancelJob(app, id);
  const stopped = await untilJob(app, busy[0]!.id, hasEnded);
  assert.equal(stopped.receipt?.stoppedAt.reason, 'cancelled');
  assert.equal((await untilJob(app, queued.id, hasEnded)).receipt, null, 'it never ran');
  await untilJob(app, busy[1]!.id, hasEnded);
});

test('rejects a job that cannot be repeated, naming what is missing', async () => {
  const job = await trained({ epochs: 1 });
  const cases = [
    [
      `circumstances = json_set(circumstances, '$.dataset.digest', 'sha256:1')`,
      /with digest sha256:1\. That data set now has digest sha256:/,
    ],
    [`circumstances = json_set(circumstances, '$.dataset.id', 'other')`, /other with .* no longer exists/],
    ['circumstances = null', /no receipt/],
  ] as const;
  for (const [change, words] of cases) {
    database.prepare(`update jobs set ${change} where id = ?`).run(job.id);
    const { detail } = assertProblem(await post(`${job.id}/verify`), 422, 'impossible-request');
    assert.match(detail, words);
  }
  const warm = await trained({ epochs: 1 }, { modelName: 'warm', warmStart: job.model! });
  const lost = `update jobs set request = json_set(request, '$.warmStart.name', 'lost') where id = ?`;
  database.prepare(lost).run(warm.id);
  const { detail } = assertProblem(await post(`${warm.id}/verify`), 422, 'impossible-request');
  assert.match(detail, /warm start no longer exists\. Model lost does not exist/);
});

test('repeated requests with one key create one verification', async () => {
  const job = await trained({ epochs: 1 });
  const headers = { 'idempotency-key': 'once' };
  const first = await post(`${job.id}/verify`, headers);
  assert.equal(first.statusCode, 202);
  const again = await post(`${job.id}/verify`, headers);
  assert.deepEqual([again.body, again.headers['idempotency-replayed']], [first.body, 'true']);
  const other = await trained({ epochs: 1 });
  assertProblem(await post(`${other.id}/verify`, headers), 422, 'idempotency-key-reused');
  await untilJob(app, first.json().id, hasEnded);
});
