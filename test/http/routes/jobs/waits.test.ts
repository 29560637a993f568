import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import type { TrainingJob } from '../../../../src/domain/jobs/training.ts';
import { MAX_CLIENT_STREAMS } from '../../../../src/http/hooks/connections/client-limits.ts';
import { createWaitForEnd } from '../../../../src/services/events/wait-for-end.ts';
import { newJob, temporaryStore } from '../../../store/fixtures.ts';
import {
  assertProblem,
  cancelJob,
  endless,
  isUnderway,
  queueJob,
  startService,
  tiny,
  untilJob,
} from '../../../support/start-service.ts';

const { app } = await startService({ after });
await app.listen({ port: 0, host: '127.0.0.1' });

const read = (id: string, prefer: string) =>
  app.inject({ url: `/v1/training-jobs/${id}`, headers: { prefer } });
const create = (headers: Record<string, string>): InjectOptions => ({
  method: 'POST',
  url: '/v1/training-jobs',
  headers,
  payload: tiny(),
});
const applied = ({ headers }: LightMyRequestResponse) => headers['preference-applied'];

/** Number of waiting requests, from the metrics. */
async function countWaiting(): Promise<number> {
  const { body } = await app.inject('/metrics');
  return Number(/^atelier_http_streams\{kind="wait"\} (\d+)$/m.exec(body)![1]);
}

test('Prefer: wait delays the response of a read until the job has ended', async () => {
  const { id } = await queueJob(app);
  const response = await read(id, 'respond-async, wait="30"; foo=bar');
  assert.equal(response.json<TrainingJob>().status, 'succeeded');
  assert.deepEqual([applied(response), response.headers.vary], ['wait=30', 'Prefer, Accept-Encoding']);
  assert.ok(response.headers.etag);
  const again = await app.inject({
    url: `/v1/training-jobs/${id}`,
    headers: { prefer: 'wait=2147483648', 'if-none-match': response.headers.etag as string },
  });
  assert.deepEqual([again.statusCode, applied(again)], [304, 'wait=60']);
});

test('when the wait is over, the response shows the current job', async () => {
  const { id } = await queueJob(app, endless);
  const response = await read(id, 'wait=1');
  assert.deepEqual([response.statusCode, response.json<TrainingJob>().finishedAt], [200, null]);
  assert.equal(applied(response), 'wait=1');
  for (const prefer of ['wait=0', 'wait=x', 'wait', 'wait=-1', 'return=minimal']) {
    const immediate = await read(id, prefer);
    assert.deepEqual([immediate.statusCode, applied(immediate)], [200, undefined], prefer);
    assert.match(String(immediate.headers.vary), /^Prefer(,|$)/);
  }
  await cancelJob(app, id);
  assertProblem(await read('job_1', 'wait=30'), 404, 'training-job-not-found');
});

test('a job is created with the same status and Location, and shown when it has ended', async () => {
  const response = await app.inject(create({ prefer: 'wait=60' }));
  const job = response.json<TrainingJob>();
  assert.deepEqual([response.statusCode, job.status, applied(response)], [202, 'succeeded', 'wait=60']);
  assert.equal(response.headers.location, `/v1/training-jobs/${job.id}`);
  assert.equal(response.headers.etag, undefined, 'a tag belongs to the job, not to the response to POST');
});

test('with an Idempotency-Key, the stored response is the immediate one, and a repeat may wait as well', async () => {
  const headers = { 'idempotency-key': 'waiting' };
  const waited = await app.inject(create({ ...headers, prefer: 'wait=60' }));
  const stored = await app.inject(create(headers));
  const repeated = await app.inject(create({ ...headers, prefer: 'wait=60' }));
  assert.deepEqual(
    [waited, stored, repeated].map((response) => response.json<TrainingJob>().status),
    ['succeeded', 'queued', 'succeeded'],
  );
  assert.equal(stored.headers['idempotency-replayed'], 'true');
  assert.equal(repeated.headers['idempotency-replayed'], 'true');
  assert.equal(new Set([waited, stored, repeated].map(({ headers: { location } }) => location)).size, 1);
});

test('a client that disconnects no longer waits', async () => {
  const { id } = await queueJob(app, endless);
  const [url] = app.listeningOrigin.split(' ');
  const sent = get(`${url}/v1/training-jobs/${id}`, { headers: { prefer: 'wait=60' } }).on('error', () => {});
  while ((await countWaiting()) !== 1) await setImmediate();
  sent.destroy();
  while ((await countWaiting()) !== 0) await setImmediate();
  await cancelJob(app, id);
});

test('a shutdown ends all waits at once', async (t) => {
  const service = await startService(t);
  const base = await service.app.listen({ port: 0, host: '127.0.0.1' });
  const { id } = await queueJob(service.app, endless);
  await untilJob(service.app, id, isUnderway);
  const arrived = once(service.app.server, 'request');
  const answered = once(
    get(`${base}/v1/training-jobs/${id}`, { headers: { prefer: 'wait=60' } }),
    'response',
  );
  await arrived;
  const closed = service.close();
  const [response] = await answered;
  assert.equal((JSON.parse(await text(response)) as TrainingJob).finishedAt, null);
  await closed;
});

test('all waits for a job share its queries, and each ends by its own signal', async (t) => {
  const store = await temporaryStore(t);
  const jobId = await newJob(store);
  let reads = 0;
  const get: typeof store.jobs.get = (id) => {
    reads += 1;
    return store.jobs.get(id);
  };
  const waitForEnd = createWaitForEnd({ notices: store.notices, jobs: { ...store.jobs, get } });
  const abort = new AbortController();
  const left = waitForEnd(jobId, abort.signal);
  const waits = Array.from({ length: 200 }, () => waitForEnd(jobId, new AbortController().signal));
  abort.abort();
  await left;
  for (let n = 0; n < 5; n++) await store.events.append(jobId, 'warning', { n });
  await store.jobs.requestCancel(jobId);
  await Promise.all(waits);
  assert.ok(reads <= 10, `${reads} queries`);
  await waitForEnd(jobId, new AbortController().signal);
});

test('beyond the limit of open responses per client, the preference is ignored', async () => {
  const { id } = await queueJob(app, endless);
  const request = {
    url: `/v1/training-jobs/${id}`,
    headers: { prefer: 'wait=60' },
    remoteAddress: '192.0.2.1',
  };
  const waits = Array.from({ length: MAX_CLIENT_STREAMS }, () => app.inject(request));
  while ((await countWaiting()) !== MAX_CLIENT_STREAMS) await setImmediate();
  const immediate = await app.inject(request);
  assert.deepEqual([immediate.statusCode, applied(immediate)], [200, undefined]);
  await cancelJob(app, id);
  for (const response of await Promise.all(waits)) {
    assert.equal(response.json<TrainingJob>().status, 'cancelled');
  }
});
