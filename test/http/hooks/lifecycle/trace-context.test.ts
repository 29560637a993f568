import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { TrainingJob } from '../../../../src/domain/jobs/training.ts';
import type { WebhookMessage } from '../../../../src/domain/jobs/webhook-message.ts';
import type { Search } from '../../../../src/domain/searches/representation.ts';
import { readTraceparent } from '../../../../src/http/hooks/lifecycle/trace-context.ts';
import { smallSearch } from '../../../support/search-outcome.ts';
import { startReceiver } from '../../../support/servers/webhook-receiver.ts';
import { assertProblem, startService, tiny } from '../../../support/start-service.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const traceparent = `00-${TRACE}-${PARENT}-01`;

test('a valid traceparent is read, and one of a later version as of version 00', () => {
  for (const flags of ['00', '01', 'ff']) {
    const sent = `00-${TRACE}-${PARENT}-${flags}`;
    assert.equal(readTraceparent({ traceparent: sent }), sent);
  }
  for (const later of [`cc-${TRACE}-${PARENT}-01`, `01-${TRACE}-${PARENT}-01-what-follows`]) {
    assert.equal(readTraceparent({ traceparent: later }), traceparent);
  }
});

test('an invalid traceparent is ignored', () => {
  const invalid = [
    '',
    `${traceparent}-00`,
    `${traceparent} `,
    `${traceparent}, ${traceparent}`,
    `ff-${TRACE}-${PARENT}-01`,
    `01-${TRACE}-${PARENT}-01x`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE.slice(1)}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}`,
    `0-${TRACE}-${PARENT}-01`,
  ];
  for (const sent of invalid) assert.equal(readTraceparent({ traceparent: sent }), undefined, sent);
  assert.equal(readTraceparent({}), undefined);
});

test('problems and the log have the traceparent of the request', async (t) => {
  const lines: string[] = [];
  const { app } = await startService(t, { LOG_LEVEL: 'info' }, (line) => void lines.push(line));
  const url = '/v1/models/nope';
  const traced = assertProblem(await app.inject({ url, headers: { traceparent } }), 404, 'model-not-found');
  assert.equal(traced.traceparent, traceparent);
  for (const headers of [{}, { traceparent: 'nonsense' }]) {
    const untraced = assertProblem(await app.inject({ url, headers }), 404, 'model-not-found');
    assert.ok(!('traceparent' in untraced));
  }
  const requests = lines.map((line) => JSON.parse(line)).filter((line) => line.url === url);
  assert.deepEqual(
    requests.map((line) => line.traceparent),
    [traceparent, undefined, undefined],
  );
});

test('a job, its events, its log lines and its webhook have the traceparent of the request that created it', async (t) => {
  const receiver = await startReceiver(t);
  const lines: string[] = [];
  const environment = { LOG_LEVEL: 'info', WEBHOOK_ORIGINS: receiver.origin };
  const { app, close } = await startService(t, environment, (line) => void lines.push(line));
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const created = await app.inject({
    method: 'POST',
    url: '/v1/training-jobs',
    headers: { traceparent, prefer: 'wait=60' },
    payload: tiny({ notify: { url: receiver.origin, secret } }),
  });
  const job = created.json<TrainingJob>();
  assert.deepEqual([job.status, job.traceparent], ['succeeded', traceparent]);
  const { data: events } = (await app.inject(`/v1/training-jobs/${job.id}/events`)).json();
  const statuses = events.filter(({ type }: { type: string }) => type === 'status');
  assert.deepEqual(
    statuses
      .map(({ data }: { data: object }) => data)
      .map((data: Record<string, unknown>) => data['traceparent']),
    [traceparent, traceparent, traceparent],
  );
  const [received] = await receiver.until(1);
  const message = JSON.parse(received!.body) as WebhookMessage;
  assert.deepEqual([received!.headers['traceparent'], message.data.traceparent], [traceparent, traceparent]);
  await close();
  const changes = lines.map((line) => JSON.parse(line)).filter(({ jobId, to }) => jobId === job.id && to);
  assert.deepEqual(
    changes.map((line) => [line.to, line.traceparent]),
    ['queued', 'running', 'succeeded'].map((to) => [to, traceparent]),
  );
});

test('the jobs of a search have the traceparent of the request that started it', async (t) => {
  const { app } = await startService(t);
  const payload = smallSearch({ method: { type: 'random', trials: 2 }, halving: null });
  const started = await app.inject({
    method: 'POST',
    url: '/v1/searches',
    headers: { traceparent },
    payload,
  });
  assert.equal(started.statusCode, 202, started.body);
  const url = `/v1/searches/${started.json<Search>().id}`;
  while ((await app.inject(url)).json<Search>().finishedAt === null) await wait(20);
  const { data: events } = (await app.inject(`${url}/events`)).json();
  assert.equal(events[0].data.traceparent, traceparent);
  const { data: jobs } = (await app.inject('/v1/training-jobs')).json<{ data: TrainingJob[] }>();
  // Two trials and the final training.
  assert.deepEqual(
    jobs.map((job) => job.traceparent),
    [traceparent, traceparent, traceparent],
  );
});
