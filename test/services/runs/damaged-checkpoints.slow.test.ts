/** Checkpoints that were damaged while the service was down. */
import assert from 'node:assert/strict';
import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import type { CheckpointRecord } from '../../../src/domain/jobs/checkpoint.ts';
import type { EpochRecord } from '../../../src/domain/jobs/epoch-record.ts';
import type { JobEvent } from '../../../src/domain/jobs/training.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import {
  hasEnded,
  isRunning,
  queueJob,
  startService,
  temporaryDirectory,
  tiny,
  train,
  untilJob,
} from '../../support/start-service.ts';

const file = { after };
const EPOCHS = 12;
const body = tiny({
  network: { hidden: [16] },
  training: {
    epochs: EPOCHS,
    batchSize: 32,
    validation: { fraction: 0.95 },
    optimizer: { type: 'adam', learningRate: 0.003 },
    dropout: 0.2,
  },
});

async function listOf<T>(app: FastifyInstance, id: string, part: string): Promise<T[]> {
  return (await app.inject(`/v1/training-jobs/${id}/${part}`)).json().data;
}

/** A state directory with a paused job that has two checkpoints, and the events so far. */
const interrupted = await (async () => {
  const stateDir = await temporaryDirectory(file);
  const service = await startService(file, { DATA_DIR, STATE_DIR: stateDir, TRAINING_WORKERS: '1' });
  const { digest } = await train(service.app, body);
  const { id } = await queueJob(service.app, body);
  // Each pause writes a checkpoint.
  const act = (action: 'pause' | 'resume') =>
    service.app.inject({ method: 'POST', url: `/v1/training-jobs/${id}/${action}` });
  const pauseAfter = async (step: number) => {
    await untilJob(service.app, id, (job) => isRunning(job) && job.progress.step > step);
    await act('pause');
    await untilJob(service.app, id, ({ status }) => status === 'paused');
    return listOf<CheckpointRecord>(service.app, id, 'checkpoints');
  };
  const [first] = await pauseAfter(0);
  await act('resume');
  // Beyond the first checkpoint: the job may have trained on between its last report and the pause.
  const checkpoints = await pauseAfter(first!.step);
  const events = await listOf<JobEvent>(service.app, id, 'events?limit=1000');
  await service.close();
  return { stateDir, id, digest, checkpoints, events };
})();

const DAMAGES: Record<string, (path: string) => Promise<void>> = {
  'cut off': (path) => truncate(path, 1000),
  empty: (path) => truncate(path, 0),
  gone: (path) => rm(path),
  'changed in one bit': async (path) => {
    const bytes = await readFile(path);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(path, bytes);
  },
};

/** Damages the newest checkpoints in a copy of the state and resumes the job. */
async function resumeAfterDamage(
  t: Parameters<typeof temporaryDirectory>[0],
  newest: number,
  damage: (path: string) => Promise<void>,
) {
  const { id } = interrupted;
  const stateDir = await temporaryDirectory(t);
  await cp(interrupted.stateDir, stateDir, { recursive: true });
  const damaged = interrupted.checkpoints.slice(-newest);
  for (const { digest } of damaged)
    await damage(join(stateDir, 'checkpoints', digest.slice('sha256:'.length)));
  const { app } = await startService(t, { DATA_DIR, STATE_DIR: stateDir });
  await app.inject({ method: 'POST', url: `/v1/training-jobs/${id}/resume` });
  const job = await untilJob(app, id, hasEnded);
  const events = await listOf<JobEvent>(app, id, 'events?limit=1000');
  assert.deepEqual([job.status, job.attempts, job.digest], ['succeeded', 1, interrupted.digest]);
  assert.deepEqual(events.slice(0, interrupted.events.length), interrupted.events);
  assert.deepEqual(
    events.map((event) => event.id),
    Array.from(events.keys(), (n) => n + 1),
  );
  const records = await listOf<EpochRecord>(app, id, 'metrics');
  assert.deepEqual(
    events.flatMap(({ type, data }) => (type === 'epoch' ? [data] : [])),
    records,
  );
  assert.equal(records.length, EPOCHS);
  const warnings = events.flatMap(({ type, data }) => (type === 'warning' ? [data] : []));
  assert.deepEqual(
    warnings.map(({ code }) => code),
    damaged.map(() => 'checkpoint-damaged'),
  );
  for (const { message } of warnings) {
    assert.match(String(message), /[^.]\. No action is needed\.$/);
    assert.doesNotMatch(String(message), /backup|train anew/);
  }
  return { warnings, steps: damaged.map(({ step }) => step) };
}

for (const [how, damage] of Object.entries(DAMAGES)) {
  test(`if the newest checkpoint is ${how}, the job resumes from the one before with the same result`, async (t) => {
    const { warnings, steps } = await resumeAfterDamage(t, 1, damage);
    const before = interrupted.checkpoints.at(-2)!.step;
    assert.match(
      String(warnings[0]!['message']),
      new RegExp(
        `checkpoint of step ${steps[0]} cannot be used, so the job continues from the checkpoint of step ${before}:`,
      ),
    );
  });
}

test('if all checkpoints are damaged, the job restarts with the same result', async (t) => {
  const { warnings, steps } = await resumeAfterDamage(t, interrupted.checkpoints.length, DAMAGES['cut off']!);
  assert.ok(steps.length > 1);
  assert.match(
    String(warnings.at(-1)!['message']),
    new RegExp(`checkpoint of step ${steps[0]} cannot be used, so the job continues from the beginning:`),
  );
});
