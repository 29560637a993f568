import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  assertProblem,
  cancelJob,
  endless,
  hasEnded,
  queueJob,
  startService,
  tiny,
  untilJob,
} from '../../../support/start-service.ts';

const { app } = await startService({ after }, { TRAINING_WORKERS: '1' });

test('cancels, pauses and resumes a job only in the state that the client has read', async () => {
  const { id } = await queueJob(app, endless);
  const url = `/v1/training-jobs/${id}`;
  const send = (action: string, tag: unknown) =>
    app.inject({ method: 'POST', url: `${url}/${action}`, headers: { 'if-match': String(tag) } });
  for (const [action, status] of [
    ['pause', 'paused'],
    ['resume', 'queued'],
    ['pause', 'paused'],
    ['cancel', 'cancelled'],
  ] as const) {
    assertProblem(await send(action, '"stale"'), 412, 'precondition-failed', 'If-Match');
    // Progress of a running job changes its ETag, so any state is accepted here.
    const tag = status === 'queued' ? (await app.inject(url)).headers.etag : '*';
    assert.equal((await send(action, tag)).statusCode, 202, action);
    if (status !== 'queued') await untilJob(app, id, (job) => job.status === status);
  }
});

test('changes the priority of a job in the state that the client has read, until it has ended', async () => {
  const { id } = await queueJob(app, endless);
  const url = `/v1/training-jobs/${id}`;
  await app.inject({ method: 'POST', url: `${url}/pause` });
  await untilJob(app, id, (job) => job.status === 'paused');
  const patch = (priority: unknown, headers = {}) =>
    app.inject({ method: 'PATCH', url, headers, payload: { priority } });
  const changed = await patch(-3);
  assert.equal(changed.statusCode, 200);
  assert.equal(changed.json().priority, -3);
  assert.equal((await app.inject(url)).headers.etag, changed.headers.etag);
  assert.equal((await patch(0, { 'if-match': changed.headers.etag })).statusCode, 200);
  assertProblem(await patch(1, { 'if-match': changed.headers.etag }), 412, 'precondition-failed');
  assertProblem(await patch(11), 400, 'invalid-request');
  await cancelJob(app, id);
  assertProblem(await patch(1), 409, 'illegal-transition');
});

test('deletes an ended job, and its version stays', async () => {
  const key = { 'idempotency-key': 'deleted-later' };
  const start = () =>
    app.inject({
      method: 'POST',
      url: '/v1/training-jobs',
      headers: key,
      payload: tiny({ modelName: 'kept', seed: 99 }),
    });
  const started = await start();
  const url = `/v1/training-jobs/${started.json().id}`;
  const remove = (headers: Record<string, string> = {}) => app.inject({ method: 'DELETE', url, headers });
  await untilJob(app, started.json().id, hasEnded);
  assertProblem(await remove({ 'if-match': '"stale"' }), 412, 'precondition-failed', 'If-Match');

  const [checkpoint] = (await app.inject(`${url}/checkpoints`)).json().data;
  const predict = async () =>
    app.inject({
      method: 'POST',
      url: `${url}/checkpoints/${checkpoint.step}/predictions`,
      headers: { 'content-type': 'application/octet-stream' },
      payload: Buffer.alloc(784),
    });
  assert.equal((await predict()).statusCode, 200);
  const removed = await remove({ 'if-match': (await app.inject(url)).headers.etag as string });
  assert.deepEqual([removed.statusCode, removed.body], [204, '']);
  for (const part of ['', '/events', '/metrics', '/checkpoints']) {
    assertProblem(await app.inject(url + part), 404, 'training-job-not-found');
  }
  assertProblem(await predict(), 404, 'checkpoint-not-found');
  assertProblem(await remove(), 404, 'training-job-not-found');

  const { lineage } = (await app.inject('/v1/models/kept/versions/1')).json();
  assert.deepEqual([lineage.jobId, lineage.request.seed], [started.json().id, 99]);
  const replayed = await start();
  assert.deepEqual([replayed.statusCode, replayed.body], [202, started.body]);
});

test('rejects deleting a job that has not ended', async () => {
  const { id } = await queueJob(app, endless);
  const response = await app.inject({ method: 'DELETE', url: `/v1/training-jobs/${id}` });
  assert.match(assertProblem(response, 409, 'illegal-transition').detail, /cannot be deleted\. Cancel it/);
  await cancelJob(app, id);
});
