/** A queued job whose row is damaged does not stop the queue. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import {
  assertProblem,
  cancelJob,
  endless,
  hasEnded,
  isRunning,
  queueJob,
  startService,
  temporaryDirectory,
  tiny,
  untilJob,
} from '../../support/start-service.ts';

test('a queued job with a damaged request fails, and the one behind it runs', async (t) => {
  const STATE_DIR = await temporaryDirectory(t);
  const lines: string[] = [];
  const { app } = await startService(t, { STATE_DIR, TRAINING_WORKERS: '1' }, (line) => lines.push(line));
  const running = await queueJob(app, endless);
  await untilJob(app, running.id, isRunning);
  const damaged = await queueJob(app, tiny({ modelName: 'damaged' }));
  const behind = await queueJob(app, tiny({ modelName: 'behind' }));
  const database = new DatabaseSync(join(STATE_DIR, 'atelier.sqlite'), { timeout: 5000 });
  database.prepare(`update jobs set request = '{x' where id = ?`).run(damaged.id);
  database.close();
  await cancelJob(app, running.id);
  assert.equal((await untilJob(app, behind.id, hasEnded)).status, 'succeeded');

  const { detail } = assertProblem(
    await app.inject(`/v1/training-jobs/${damaged.id}`),
    500,
    'state-unusable',
  );
  assert.match(detail, /damaged/);
  const list = (await app.inject('/v1/training-jobs')).json<{ data: { id: string }[] }>().data;
  assert.deepEqual(
    list.map(({ id }) => id),
    [behind.id, running.id],
  );
  const failed = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'job failed');
  assert.deepEqual([failed.jobId, failed.error.code], [damaged.id, 'state-unusable']);
});
