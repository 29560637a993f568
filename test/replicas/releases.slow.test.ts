/** Two releases, side by side on one database or one after the other on a directory. */
import assert from 'node:assert/strict';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { JobEvent, TrainingJob } from '../../src/domain/jobs/training.ts';
import { nextRelease } from '../support/next-release.ts';
import { temporaryDatabase, withoutPostgres } from '../support/servers/postgres.ts';
import {
  type Process,
  requestJson,
  serviceAddress,
  startProcess,
  untilServedJob,
} from '../support/start-process.ts';
import {
  hasEnded,
  interruptible,
  isUnderway,
  type Scope,
  temporaryDirectory,
  tiny,
} from '../support/start-service.ts';

const options = { skip: withoutPostgres };

/**
 * Pauses a job on this release, starts the next release beside it, and resumes the job there when this one has ended.
 * Both get requests during that time.
 * @returns the job as the next release ended it, and its events
 */
async function upgrade(t: Scope, hasNewKernel: boolean): Promise<{ job: TrainingJob; events: JobEvent[] }> {
  const url = await temporaryDatabase(t);
  const main = join(await nextRelease(t, { hasNewKernel }), 'main.ts');
  const settings = { DATABASE_URL: url, TRAINING_WORKERS: '1', MAX_EVENT_LOOP_DELAY_MS: '60000' };
  const start = async (entry?: string): Promise<[Process, string]> => {
    const service = startProcess(t, await temporaryDirectory(t), settings, [], entry);
    return [service, await serviceAddress(service)];
  };
  const [old, oldBase] = await start();
  const { id } = await requestJson<TrainingJob>(`${oldBase}/v1/training-jobs`, interruptible);
  await untilServedJob(oldBase, id, isUnderway);
  await requestJson(`${oldBase}/v1/training-jobs/${id}/pause`, {});
  await untilServedJob(oldBase, id, ({ status }) => status === 'paused');
  const [, newBase] = await start(main);
  // Requests of both, and of a process of this release that starts on the schema of the next one.
  const [again, againBase] = await start();
  for (const base of [oldBase, newBase, againBase]) {
    const job = await requestJson<TrainingJob>(`${base}/v1/training-jobs/${id}`);
    assert.equal(job.status, 'paused');
    await requestJson(`${base}/v1/models`);
  }
  again.child.kill('SIGTERM');
  old.child.kill('SIGTERM');
  for (const service of [old, again]) assert.deepEqual(await service.exited, [0, null], service.output());
  await requestJson(`${newBase}/v1/training-jobs/${id}/resume`, {});
  const job = await untilServedJob(newBase, id, hasEnded);
  const page = await requestJson<{ data: JobEvent[] }>(`${newBase}/v1/training-jobs/${id}/events?limit=1000`);
  assert.equal(job.status, 'succeeded', JSON.stringify(job));
  assert.equal(job.attempts, 1);
  return { job, events: page.data };
}

let undisturbed: Promise<string | null> | undefined;
/** The digest of the same job without an upgrade, which runs once. */
const undisturbedDigest = (t: Scope) => (undisturbed ??= runUndisturbed(t));

async function runUndisturbed(t: Scope): Promise<string | null> {
  const service = startProcess(t, await temporaryDirectory(t));
  const base = await serviceAddress(service);
  const { id } = await requestJson<TrainingJob>(`${base}/v1/training-jobs`, interruptible);
  return (await untilServedJob(base, id, hasEnded)).receipt?.digest ?? null;
}

const isMixedWarning = ({ type, data }: JobEvent) =>
  type === 'warning' && data['code'] === 'mixed-environments';

test(
  'a job moves to a next release with the same kernel, and ends with the same result',
  options,
  async (t) => {
    const { job, events } = await upgrade(t, false);
    assert.equal(job.receipt?.mixed, false);
    assert.deepEqual(events.filter(isMixedWarning), []);
    assert.equal(job.receipt.digest, await undisturbedDigest(t));
  },
);

test(
  'a job that continues with the kernel of another release gets a warning and is marked as mixed',
  options,
  async (t) => {
    const { job, events } = await upgrade(t, true);
    assert.equal(job.receipt?.mixed, true);
    assert.equal(events.filter(isMixedWarning).length, 1);
    // The instructions are the same, so here the result is the same.
    assert.equal(job.receipt.digest, await undisturbedDigest(t));
  },
);

test('after an upgrade, this release starts again with the copy of the database from before', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const main = join(await nextRelease(t), 'main.ts');
  const train = async (base: string, modelName: string) => {
    const { id } = await requestJson<TrainingJob>(`${base}/v1/training-jobs`, tiny({ modelName }));
    return untilServedJob(base, id, hasEnded);
  };
  /** Starts a release, trains a model and stops. @returns the log */
  const run = async (modelName: string, entry?: string): Promise<string> => {
    const service = startProcess(t, stateDir, {}, [], entry);
    const base = await serviceAddress(service);
    assert.equal((await train(base, modelName)).status, 'succeeded');
    for (const name of ['before', modelName])
      await requestJson(`${base}/v1/models/${name}/versions/1/export?format=json`);
    service.child.kill('SIGTERM');
    await service.exited;
    return service.output();
  };
  await run('before');
  const upgraded = await run('after', main);
  const lines = upgraded.split('\n').filter((line) => /before-0007\.sqlite|0007-next/.test(line));
  assert.equal(lines.length, 3, upgraded);
  assert.match(lines[0]!, /copied the database before its migration/);
  assert.match(lines[2]!, /durationMs.*migrated the database/);

  const refused = startProcess(t, stateDir);
  assert.equal((await refused.exited)[0], 1);
  assert.match(refused.output(), /newer version of Atelier/);
  for (const suffix of ['', '-wal', '-shm']) {
    await rm(join(stateDir, `atelier.sqlite${suffix}`), { force: true });
  }
  await rename(join(stateDir, 'before-0007.sqlite'), join(stateDir, 'atelier.sqlite'));
  assert.match(await run('again'), /without a row/);
});
