/** Backups of a running service: the copy starts, and has everything. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { CheckpointRecord } from '../src/domain/checkpoint.ts';
import type { TrainingJob } from '../src/domain/training-job.ts';
import { requestJson, serviceAddress, startProcess, untilServedJob } from './start-process.ts';
import { endless, hasEnded, isUnderway, temporaryDirectory, tiny } from './start-service.ts';

const run = promisify(execFile);
const BACKUP = join(import.meta.dirname, '../src/backup.ts');

test('a backup of a service that trains and deletes is a service that continues', async (t) => {
  const directory = await temporaryDirectory(t);
  const stateDir = join(directory, 'state');
  const base = await serviceAddress(startProcess(t, stateDir, { TRAINING_WORKERS: '2' }));
  const jobs = `${base}/v1/training-jobs`;
  const training = { ...endless.training, checkpointEverySeconds: 1 };
  const { id } = await requestJson<TrainingJob>(jobs, { ...endless, modelName: 'endless', training });
  await untilServedJob(base, id, isUnderway);

  let isDone = false;
  async function trainAndDelete(): Promise<void> {
    const job = await requestJson<TrainingJob>(jobs, tiny({ modelName: 'changing' }));
    await untilServedJob(base, job.id, hasEnded);
    const { model } = await requestJson<TrainingJob>(`${jobs}/${job.id}`);
    await fetch(`${base}/v1/models/changing/versions/${model!.version - 1}`, { method: 'DELETE' });
  }
  async function changeOften(): Promise<void> {
    // A busy machine sheds new jobs.
    while (!isDone) await trainAndDelete().catch(() => setTimeout(100));
  }
  const changes = changeOften();
  const backups = [1, 2].map((n) => join(directory, `backup-${n}`));
  for (const backup of backups) {
    await run(process.execPath, [BACKUP, backup], { env: { STATE_DIR: stateDir } });
  }
  isDone = true;
  await changes;

  for (const backup of backups) {
    const service = startProcess(t, backup, { TRAINING_WORKERS: '1' });
    const restored = await serviceAddress(service);
    const url = `${restored}/v1/training-jobs/${id}`;
    const { data } = await requestJson<{ data: CheckpointRecord[] }>(`${url}/checkpoints`);
    const newest = data.at(-1)?.step ?? 0;
    await untilServedJob(restored, id, (job) => job.status === 'running' && job.progress.step > newest);
    const models = await requestJson<{ data: { name: string; latest: { version: number } }[] }>(
      `${restored}/v1/models`,
    );
    for (const { name, latest } of models.data) {
      await requestJson(`${restored}/v1/models/${name}/versions/${latest.version}/export?format=json`);
    }
    const events = await requestJson<{ data: { type: string }[] }>(`${url}/events?limit=1000`);
    assert.deepEqual(
      events.data.filter(({ type }) => type === 'warning'),
      [],
    );
    assert.doesNotMatch(service.output(), /lost\+found|without a row/);
    service.child.kill('SIGKILL');
    await service.exited;
  }
});

test('the command explains a wrong target and a wrong state directory', async (t) => {
  const directory = await temporaryDirectory(t);
  const fails = (args: string[], stateDir: string, message: RegExp) =>
    assert.rejects(run(process.execPath, [BACKUP, ...args], { env: { STATE_DIR: stateDir } }), {
      stderr: message,
    });
  await fails([], directory, /^Usage: /);
  await fails([join(directory, 'backup')], directory, /atelier\.sqlite does not exist\. Set STATE_DIR/);
});
