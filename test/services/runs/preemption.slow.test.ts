/** Trainings that are stopped for others, in real threads with one slot. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { JobEvent } from '../../../src/domain/jobs/training.ts';
import {
  hasEnded,
  interruptible,
  isRunning,
  isUnderway,
  queueJob,
  startService,
  tiny,
  untilJob,
} from '../../support/start-service.ts';

const { app } = await startService({ after }, { TRAINING_WORKERS: '1' });

async function eventsOf(id: string, wanted: JobEvent['type']): Promise<JobEvent['data'][]> {
  const { data } = (await app.inject(`/v1/training-jobs/${id}/events?limit=1000`)).json();
  return data.flatMap(({ type, data }: JobEvent) => (type === wanted ? [data] : []));
}

test('a job stopped by one of higher priority continues later to the same digest', async () => {
  const long = await queueJob(app, interruptible);
  await untilJob(app, long.id, isUnderway);
  const equal = await queueJob(app, tiny());
  const urgent = await queueJob(app, tiny({ priority: 5 }));
  const preempted = await untilJob(app, long.id, (job) => job.preemptedBy === urgent.id || hasEnded(job));
  assert.deepEqual(
    [preempted.status, preempted.progress.step],
    ['queued', (await eventsOf(long.id, 'checkpoint')).at(-1)!['step']],
  );
  assert.deepEqual([long.priority, urgent.priority], [0, 5]);
  const short = await untilJob(app, urgent.id, hasEnded);
  const stopped = (await eventsOf(long.id, 'status')).at(2);
  assert.deepEqual(stopped, { from: 'running', to: 'queued', preemptedBy: urgent.id });
  const [ended, last] = [await untilJob(app, long.id, hasEnded), await untilJob(app, equal.id, hasEnded)];
  assert.deepEqual([ended.status, ended.attempts], ['succeeded', 1]);
  assert.ok(short.finishedAt! < ended.finishedAt! && ended.finishedAt! <= last.startedAt!);
  assert.deepEqual(
    (await eventsOf(long.id, 'status')).map(({ to }) => to),
    ['queued', 'running', 'queued', 'running', 'succeeded'],
  );
  const undisturbed = await queueJob(app, interruptible);
  assert.equal((await untilJob(app, undisturbed.id, hasEnded)).digest, ended.digest);
});

test('a job that is stopped repeatedly keeps its progress, and one paused by a client stays paused', async () => {
  const long = await queueJob(app, interruptible);
  await untilJob(app, long.id, isUnderway);
  const steps: number[] = [];
  for (const priority of [1, 2, 3]) {
    const { id } = await queueJob(app, tiny({ priority }));
    await untilJob(app, id, hasEnded);
    steps.push((await untilJob(app, long.id, (job) => isRunning(job) || hasEnded(job))).progress.step);
  }
  assert.deepEqual(
    steps,
    steps.toSorted((a, b) => a - b),
  );
  assert.ok(steps[0]! > 0);
  await app.inject({ method: 'POST', url: `/v1/training-jobs/${long.id}/pause` });
  const urgent = await queueJob(app, tiny({ priority: 10 }));
  await untilJob(app, urgent.id, hasEnded);
  const paused = await untilJob(app, long.id, (job) => job.status === 'paused' || hasEnded(job));
  assert.deepEqual([paused.status, paused.attempts], ['paused', 1]);
  const checkpoints = (await eventsOf(long.id, 'checkpoint')).map(({ step }) => step as number);
  assert.deepEqual(
    checkpoints,
    checkpoints.toSorted((a, b) => a - b),
  );
});
