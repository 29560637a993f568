/** Disk use before and after retention, as GET /v1/storage shows it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { PredictionJob } from '../../src/domain/predictions/job.ts';
import type { Predictions } from '../../src/protocols/native/schema.ts';
import { storageSchema } from '../../src/services/operations/storage.ts';
import { predictBytes, type ShapedModel, trainShaped } from '../http/shaped-models.ts';
import { DATA_DIR } from '../support/data-directory.ts';
import { startService, temporaryDirectory, tiny, train } from '../support/start-service.ts';

const DAY_MS = 86_400_000;

type App = Awaited<ReturnType<typeof startService>>['app'];

/** Each start of the service measures the disk again. */
async function readKinds(app: App) {
  for (;;) {
    const { kinds } = storageSchema.parse((await app.inject('/v1/storage')).json());
    if (kinds !== null) return kinds;
  }
}

test('retention deletes old jobs and their checkpoints, frees the disk and keeps the versions', async (t) => {
  const STATE_DIR = await temporaryDirectory(t);
  const environment = { DATA_DIR, STATE_DIR, KEEP_CHECKPOINTS: 'all' };
  const first = await startService(t, environment);
  const jobs = [];
  const training = { epochs: 8, batchSize: 256, validation: { fraction: 0.95 }, checkpointEverySeconds: 1 };
  for (const modelName of ['old', 'new']) {
    if (modelName === 'old') t.mock.timers.enable({ apis: ['Date'], now: Date.now() - 40 * DAY_MS });
    jobs.push(await train(first.app, tiny({ modelName, network: { hidden: [64] }, training })));
    t.mock.timers.reset();
  }
  const before = await readKinds(first.app);
  await first.close();
  assert.deepEqual(
    jobs.map(({ status }) => status),
    ['succeeded', 'succeeded'],
  );
  assert.ok(before.checkpoints.count >= 2);

  const raw = new DatabaseSync(join(STATE_DIR, 'atelier.sqlite'), { readOnly: true });
  const { kept } = raw.prepare('select count(*) as kept from checkpoints where job_id = ?').get(jobs[1]!.id)!;
  raw.close();

  const second = await startService(t, { ...environment, KEEP_JOBS_DAYS: '30' });
  const statusOf = async (id: string) => (await second.app.inject(`/v1/training-jobs/${id}`)).statusCode;
  while ((await statusOf(jobs[0]!.id)) === 200) await setTimeout(10);
  assert.equal(await statusOf(jobs[1]!.id), 200);
  // Files are removed after their rows, and a shutdown waits for that.
  await second.close();
  const { app } = await startService(t, environment);
  const after = await readKinds(app);
  assert.equal(after.checkpoints.count, Number(kept));
  assert.ok(after.checkpoints.bytes < before.checkpoints.bytes);
  assert.deepEqual(after.models, before.models);
  for (const name of ['old', 'new']) {
    assert.equal((await app.inject(`/v1/models/${name}/versions/1/export?format=json`)).statusCode, 200);
  }
  t.diagnostic(`checkpoints: ${JSON.stringify([before.checkpoints, after.checkpoints])}`);
});

test('retention deletes jobs of other image shapes, and keeps their data sets and versions', async (t) => {
  const environment = { STATE_DIR: await temporaryDirectory(t), KEEP_CHECKPOINTS: 'all' };
  const first = await startService(t, environment);
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() - 40 * DAY_MS });
  const models: ShapedModel[] = [];
  for (const shape of [
    [8, 8],
    [32, 32, 3],
  ] as const)
    models.push(await trainShaped(first.app, shape));
  const { data } = (await first.app.inject('/v1/training-jobs')).json<{ data: { id: string }[] }>();
  const jobs = data.map(({ id }) => `/v1/training-jobs/${id}`);
  assert.equal(jobs.length, 2);
  for (const { name, dataset } of models) {
    const payload = { model: name, dataset, split: 'test' };
    const queued = await first.app.inject({ method: 'POST', url: '/v1/prediction-jobs', payload });
    const url = `/v1/prediction-jobs/${queued.json().id}`;
    const read = async () => (await first.app.inject(url)).json<PredictionJob>();
    while ((await read()).finishedAt === null) await setTimeout(5);
    assert.equal((await read()).status, 'succeeded');
    jobs.push(url);
  }
  t.mock.timers.reset();
  const before = await readKinds(first.app);
  await first.close();
  assert.ok(before.checkpoints.count >= 2 && before.predictions.count >= 2);

  const second = await startService(t, { ...environment, KEEP_JOBS_DAYS: '30' });
  for (const job of jobs) while ((await second.app.inject(job)).statusCode === 200) await setTimeout(10);
  // Files are removed after their rows, and a shutdown waits for that.
  await second.close();
  const { app } = await startService(t, environment);
  const after = await readKinds(app);
  assert.deepEqual([after.checkpoints.count, after.predictions.count], [0, 0]);
  assert.deepEqual([after.models, after.datasets], [before.models, before.datasets]);
  for (const { name, dataset, pixels, expected } of models) {
    const { predictions } = (await predictBytes(app, name, pixels)).json<Predictions>();
    assert.deepEqual(
      predictions.map(({ probabilities }) => probabilities),
      expected,
    );
    const network = { hidden: [6] };
    const again = await train(app, tiny({ dataset, modelName: name, warmStart: name, network }));
    assert.equal(again.model?.version, 2, JSON.stringify(again.error));
  }
});
