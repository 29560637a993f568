import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createCatalog } from '../../../src/datasets/catalog.ts';
import type { JobEvent } from '../../../src/domain/jobs/training.ts';
import { logJobEvents } from '../../../src/services/events/log.ts';
import { newJob, temporaryStore } from '../../store/fixtures.ts';
import {
  endless,
  hasEnded,
  isUnderway,
  queueJob,
  startService,
  tiny,
  untilJob,
} from '../../support/start-service.ts';

interface Line {
  readonly jobId?: string;
  readonly from?: string;
  readonly to?: string;
  readonly reqId?: string;
  readonly level: number;
}

async function startLogged(t: TestContext) {
  const lines: Line[] = [];
  const onLine = (line: string) => lines.push(JSON.parse(line));
  const service = await startService(t, { LOG_LEVEL: 'info', TRAINING_WORKERS: '1' }, onLine);
  const of = (id: string) => lines.filter(({ jobId, to }) => jobId === id && to !== undefined);
  return { ...service, of };
}

const statusEvents = async ({ app }: Awaited<ReturnType<typeof startLogged>>, id: string) => {
  const events: JobEvent[] = (await app.inject(`/v1/training-jobs/${id}/events`)).json().data;
  return events.filter(({ type }) => type === 'status').map(({ data }) => data);
};

test('every change of a job is one log line with the id of its request', async (t) => {
  const service = await startLogged(t);
  const { app, of, close } = service;
  const ask = (url: string, requestId: string, payload?: object) =>
    app.inject({
      method: 'POST',
      url: `/v1/training-jobs${url}`,
      headers: { 'x-request-id': requestId },
      ...(payload && { payload }),
    });
  const first = (await ask('', 'asked-first', endless)).json().id;
  const second = (await ask('', 'asked-second', tiny())).json().id;
  await untilJob(app, first, isUnderway);
  await ask(`/${first}/cancel`, 'asked-cancel');
  await untilJob(app, second, hasEnded);
  const expected = new Map([
    [first, await statusEvents(service, first)],
    [second, await statusEvents(service, second)],
  ]);
  await close();
  for (const [id, changes] of expected) {
    assert.deepEqual(
      of(id).map(({ from, to }) => ({ ...(from && { from }), to })),
      changes.map(({ publication, ...change }) => change),
    );
  }
  assert.deepEqual(
    of(first).map(({ to, reqId }) => [to, reqId]),
    [
      ['queued', 'asked-first'],
      ['running', undefined],
      ['cancelling', 'asked-cancel'],
      ['cancelled', undefined],
    ],
  );
  // The start has no request id: cancelling the other job freed the slot, but that request did not start this job.
  assert.deepEqual(
    of(second).map(({ to, reqId }) => [to, reqId]),
    [
      ['queued', 'asked-second'],
      ['running', undefined],
      ['succeeded', undefined],
    ],
  );
});

test('every log line of a request has its id', async (t) => {
  const lines: Record<string, unknown>[] = [];
  const { app } = await startService(t, { LOG_LEVEL: 'info' }, (line) => lines.push(JSON.parse(line)));
  const headers = { 'x-request-id': 'asked' };
  await app.inject({ url: '/v1/models/nobody', headers });
  await app.inject({ url: '/nothing', headers });
  await app.inject({ method: 'POST', url: '/v1/training-jobs', headers, payload: '{' });
  const said = lines.filter(({ msg }) => msg === 'request completed');
  assert.equal(said.length, 3);
  for (const line of said) assert.equal(line['reqId'], 'asked');
});

test('stopping the service requeues a job and logs it before exiting', async (t) => {
  const { app, of, close } = await startLogged(t);
  const { id } = await queueJob(app, endless);
  await untilJob(app, id, isUnderway);
  await close();
  assert.deepEqual(
    of(id).map(({ to }) => to),
    ['queued', 'running', 'queued'],
  );
});

test('a crash of a training thread counts as a restart', async (t) => {
  const store = await temporaryStore(t);
  const told: string[] = [];
  const allTold = logJobEvents({
    events: store.events,
    catalog: createCatalog([]),
    log: {
      info: (_, message) => told.push(message),
      warn: assert.fail,
      error: (_, message) => told.push(message),
    },
    meter: { statusChanged: (to) => told.push(to), preempted() {}, finishedEpoch() {} },
    currentRequestId: () => undefined,
    onRestart: () => told.push('restarted'),
  });
  const id = await newJob(store, 'running');
  await store.events.append(id, 'warning', { code: 'worker-crashed' });
  await store.events.append(id, 'warning', { code: 'dead-units' });
  await allTold();
  assert.deepEqual(told, ['queued', 'job queued', 'running', 'job running', 'restarted']);
});
