/** Disk use before and after retention, as GET /v1/storage shows it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { storageSchema } from '../../src/services/operations/storage.ts';
import { DATA_DIR } from '../support/data-directory.ts';
import { startService, temporaryDirectory, tiny, train } from '../support/start-service.ts';

const DAY_MS = 86_400_000;

test('retention deletes old jobs and their checkpoints, frees the disk and keeps the versions', async (t) => {
  const STATE_DIR = await temporaryDirectory(t);
  const environment = { DATA_DIR, STATE_DIR, KEEP_CHECKPOINTS: 'all' };
  /** Each start of the service measures the disk again. */
  const readKinds = async (app: Awaited<ReturnType<typeof startService>>['app']) => {
    for (;;) {
      const { kinds } = storageSchema.parse((await app.inject('/v1/storage')).json());
      if (kinds !== null) return kinds;
    }
  };
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
