/** A real process, killed in the middle of a job and restarted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JobEvent, TrainingJob } from '../../src/domain/jobs/training.ts';
import { openStream } from '../http/read-events.ts';
import { requestJson, serviceAddress, startProcess, untilServedJob } from '../support/start-process.ts';
import { hasEnded, interruptible, isUnderway, temporaryDirectory } from '../support/start-service.ts';

test('after a kill during a job, models are intact and the job ends with the same result', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const first = startProcess(t, stateDir);
  let base = await serviceAddress(first);
  const done = await requestJson<TrainingJob>(`${base}/v1/training-jobs`, {
    ...interruptible,
    modelName: 'done',
  });
  const { digest } = await untilServedJob(base, done.id, hasEnded);
  const picture = new Array(784).fill(0);
  const predicted = await requestJson(`${base}/v1/models/done/predictions`, { image: picture });
  const { id } = await requestJson<TrainingJob>(`${base}/v1/training-jobs`, interruptible);
  await untilServedJob(base, id, isUnderway);
  first.child.kill('SIGKILL');
  assert.deepEqual(await first.exited, [null, 'SIGKILL']);

  const second = startProcess(t, stateDir);
  base = await serviceAddress(second);
  const back = await requestJson<TrainingJob>(`${base}/v1/training-jobs/${id}`);
  assert.ok(['queued', 'running'].includes(back.status) && back.attempts >= 1, back.status);
  assert.deepEqual(await requestJson(`${base}/v1/models/done/predictions`, { image: picture }), predicted);
  const job = await untilServedJob(base, id, hasEnded);
  assert.deepEqual([job.status, job.attempts, job.digest], ['succeeded', 1, digest]);
});

test('after a kill during an event stream, the remaining events follow and the earlier ones are unchanged', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const first = startProcess(t, stateDir);
  const base = await serviceAddress(first);
  const { id } = await requestJson<TrainingJob>(`${base}/v1/training-jobs`, interruptible);
  const seen: JobEvent[] = [];
  for await (const event of (await openStream(`${base}/v1/training-jobs/${id}/events`)).events()) {
    seen.push(event);
    if (event.type === 'epoch') first.child.kill('SIGKILL');
  }
  await first.exited;

  const events = `${await serviceAddress(startProcess(t, stateDir))}/v1/training-jobs/${id}/events`;
  const rest = await openStream(events, { 'last-event-id': String(seen.at(-1)!.id) });
  for await (const event of rest.events()) seen.push(event);
  assert.deepEqual(seen.at(-1)!.data['to'], 'succeeded');
  assert.deepEqual((await requestJson<{ data: JobEvent[] }>(events)).data, seen);
});
