/** Verifications interrupted by a pause or by SIGKILL. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { serviceAddress, startProcess, untilServedJob } from '../../support/start-process.ts';
import {
  hasEnded,
  interruptible,
  isUnderway,
  startService,
  temporaryDirectory,
  train,
  untilJob,
} from '../../support/start-service.ts';

const agreeing = { agrees: true, sameKernel: true, sameProcessor: true };

test('a verification continues after its process is killed', async (t) => {
  const stateDir = await temporaryDirectory(t);
  let service = startProcess(t, stateDir);
  let base = await serviceAddress(service);
  const call = async (path: string, init: RequestInit = {}) =>
    (await (await fetch(`${base}/v1/training-jobs${path}`, init)).json()) as TrainingJob;
  const until = (id: string, holds: (job: TrainingJob) => boolean) => untilServedJob(base, id, holds);
  const headers = { 'content-type': 'application/json' };
  const asked = await call('', { method: 'POST', headers, body: JSON.stringify(interruptible) });
  const job = await until(asked.id, hasEnded);
  const { id } = await call(`/${job.id}/verify`, { method: 'POST' });
  assert.equal((await until(id, isUnderway)).status, 'running');
  service.child.kill('SIGKILL');
  await service.exited;
  service = startProcess(t, stateDir);
  base = await serviceAddress(service);
  const again = await until(id, hasEnded);
  assert.deepEqual(again.verification, { of: job.id, expected: job.digest, ...agreeing });
  assert.deepEqual([again.digest, again.model], [job.digest, null]);
});

test('a paused verification resumes, and ends at the step at which the budget ended the training', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const { app } = await startService(t, { STATE_DIR: stateDir });
  const post = (path: string) => app.inject({ method: 'POST', url: `/v1/training-jobs/${path}` });
  const longer = { ...interruptible, training: { ...interruptible.training, epochs: 32 } };
  const [short, long] = [await train(app, interruptible), await train(app, longer)];
  // Makes the longer job look stopped at the step where the shorter one ended.
  const stop = `update jobs set stopped_step = ?, stopped_reason = 'budget', digest = ? where id = ?`;
  const database = new DatabaseSync(join(stateDir, 'atelier.sqlite'), { timeout: 5000 });
  database.prepare(stop).run(short.stoppedAt!.step, short.digest, long.id);
  database.close();
  const { id } = (await post(`${long.id}/verify`)).json<TrainingJob>();
  await untilJob(app, id, isUnderway);
  assert.equal((await post(`${id}/pause`)).statusCode, 202);
  const paused = await untilJob(app, id, ({ status }) => status === 'paused');
  assert.ok(paused.progress.step < short.stoppedAt!.step);
  assert.deepEqual([paused.receipt, paused.verification?.agrees], [null, null]);
  assert.equal((await post(`${id}/resume`)).statusCode, 202);
  const done = await untilJob(app, id, hasEnded);
  assert.deepEqual(done.stoppedAt, { step: short.stoppedAt!.step, reason: 'budget' });
  assert.deepEqual(done.verification, { of: long.id, expected: short.digest, ...agreeing });
});
