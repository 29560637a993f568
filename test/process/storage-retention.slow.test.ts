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

/** Predicts the test split by a prediction job. Returns its path. */
async function predictSplit(app: App, { name, dataset }: ShapedModel): Promise<string> {
  const payload = { model: name, dataset, split: 'test' };
  const queued = await app.inject({ method: 'POST', url: '/v1/prediction-jobs', payload });
  const url = `/v1/prediction-jobs/${queued.json().id}`;
  const read = async () => (await app.inject(url)).json<PredictionJob>();
  while ((await read()).finishedAt === null) await setTimeout(5);
  assert.equal((await read()).status, 'succeeded');
  return url;
}

test('retention deletes old jobs and their checkpoints, frees the disk and keeps data sets and versions', async (t) => {
  const STATE_DIR = await temporaryDirectory(t);
  const environment = { DATA_DIR, STATE_DIR, KEEP_CHECKPOINTS: 'all' };
  const first = await startService(t, environment);
  const training = { epochs: 8, batchSize: 256, validation: { fraction: 0.95 }, checkpointEverySeconds: 1 };
  const trainNamed = (modelName: string) =>
    train(first.app, tiny({ modelName, network: { hidden: [64] }, training }));
  // Later ids have later times, so the old jobs come first.
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() - 40 * DAY_MS });
  const old = await trainNamed('old');
  const shaped = [await trainShaped(first.app, [8, 8]), await trainShaped(first.app, [32, 32, 3])];
  const { data } = (await first.app.inject('/v1/training-jobs')).json<{ data: { id: string }[] }>();
  const oldJobs = data.map(({ id }) => `/v1/training-jobs/${id}`);
  assert.equal(oldJobs.length, 3);
  for (const model of shaped) oldJobs.push(await predictSplit(first.app, model));
  t.mock.timers.reset();
  const recent = await trainNamed('new');
  const before = await readKinds(first.app);
  await first.close();
  assert.deepEqual([old.status, recent.status], ['succeeded', 'succeeded']);
  assert.ok(before.checkpoints.count >= 4);
  assert.ok(before.predictions.count >= 2);

  const raw = new DatabaseSync(join(STATE_DIR, 'atelier.sqlite'), { readOnly: true });
  const { kept } = raw.prepare('select count(*) as kept from checkpoints where job_id = ?').get(recent.id)!;
  raw.close();

  const second = await startService(t, { ...environment, KEEP_JOBS_DAYS: '30' });
  const statusOf = async (url: string) => (await second.app.inject(url)).statusCode;
  for (const url of oldJobs) while ((await statusOf(url)) === 200) await setTimeout(10);
  assert.equal(await statusOf(`/v1/training-jobs/${recent.id}`), 200);
  // Files are removed after their rows, and a shutdown waits for that.
  await second.close();
  const { app } = await startService(t, environment);
  const after = await readKinds(app);
  assert.deepEqual([after.checkpoints.count, after.predictions.count], [Number(kept), 0]);
  assert.ok(after.checkpoints.bytes < before.checkpoints.bytes);
  assert.deepEqual([after.models, after.datasets], [before.models, before.datasets]);
  for (const name of ['old', 'new']) {
    assert.equal((await app.inject(`/v1/models/${name}/versions/1/export?format=json`)).statusCode, 200);
  }
  for (const { name, dataset, pixels, expected } of shaped) {
    const { predictions } = (await predictBytes(app, name, pixels)).json<Predictions>();
    const found = predictions.map(({ probabilities }) => probabilities);
    assert.deepEqual(found, expected);
    const further = { network: { hidden: [6] }, training: { epochs: 1, batchSize: 8 } };
    const { model } = await train(app, tiny({ dataset, modelName: name, warmStart: name, ...further }));
    assert.equal(model?.version, 2);
  }
  t.diagnostic(`checkpoints: ${JSON.stringify([before.checkpoints, after.checkpoints])}`);
});
