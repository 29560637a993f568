import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { JobEvent } from '../../../src/domain/jobs/training.ts';
import { logJobEvents } from '../../../src/services/events/log.ts';
import type { CommittedEvent } from '../../../src/store/database/committed-events.ts';
import { newJob, temporaryStore } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';
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
    catalog: catalogOf(),
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

test('logs a failed job as an error, other changes with their digest, and counts epochs and preemptions', async () => {
  const calls: unknown[] = [];
  const record =
    (name: string) =>
    (...values: unknown[]) =>
      void calls.push([name, ...values]);
  let commit: (jobId: string, events: readonly CommittedEvent[]) => void = assert.fail;
  const labels = Uint8Array.of(0, 1, 0, 1, 0, 1, 0, 1, 0, 1);
  const examples = { pixels: new Uint8Array(10), labels };
  const dataset = {
    classNames: ['a', 'b'],
    digest: '',
    train: examples,
    validation: null,
    learning: examples,
    test: examples,
  };
  const flush = logJobEvents({
    events: {
      onCommitted(listener) {
        commit = listener;
      },
    },
    catalog: catalogOf({ id: 'tiny', imageShape: [1, 1], ...dataset }),
    log: { info: record('info'), warn: record('warn'), error: record('error') },
    meter: {
      statusChanged: record('changed'),
      preempted: record('preempted'),
      finishedEpoch: record('epoch'),
    },
    currentRequestId: () => 'req_1',
    onRestart: record('restart'),
  });
  const state = {
    modelName: 'm',
    dataset: 'tiny',
    training: { validation: { fraction: 0.2 } },
    attempts: 1,
    step: 7,
    digest: null,
    traceparent: null,
    searchId: null,
    error: null,
  };
  const status = (data: object, changes: object = {}) =>
    ({ type: 'status', data, job: { ...state, ...changes } }) as unknown as CommittedEvent;
  const epoch = { type: 'epoch', data: {}, job: null } as unknown as CommittedEvent;
  const written = async (...events: CommittedEvent[]) => {
    calls.length = 0;
    commit('job_1', events);
    await flush();
    return calls.map((call) => JSON.parse(JSON.stringify(call)));
  };
  const details = { jobId: 'job_1', reqId: 'req_1', modelName: 'm', attempts: 1, step: 7 };

  assert.deepEqual(await written(epoch), [['epoch', 0]], 'the start of the job was not seen');
  // 20 % of ten images are held out.
  assert.deepEqual(await written(status({ from: 'queued', to: 'running' }), epoch), [
    ['changed', 'running'],
    ['info', { ...details, from: 'queued', to: 'running' }, 'job running'],
    ['epoch', 8],
  ]);
  assert.deepEqual(await written(status({ from: 'running', to: 'queued', preemptedBy: 'job_2' }), epoch), [
    ['changed', 'queued'],
    ['preempted'],
    ['info', { ...details, from: 'running', to: 'queued', preemptedBy: 'job_2' }, 'job queued'],
    ['epoch', 8],
  ]);
  const error = { code: 'loss-diverged', message: 'It diverged.' };
  assert.deepEqual(await written(status({ from: 'running', to: 'failed' }, { error, traceparent: '00-a' })), [
    ['changed', 'failed'],
    ['error', { ...details, from: 'running', to: 'failed', traceparent: '00-a', error }, 'job failed'],
  ]);
  assert.deepEqual(
    await written(status({ from: 'running', to: 'succeeded' }, { digest: 'sha256:a' }), epoch),
    [
      ['changed', 'succeeded'],
      ['info', { ...details, from: 'running', to: 'succeeded', digest: 'sha256:a' }, 'job succeeded'],
      ['epoch', 0],
    ],
  );
  const gone = { type: 'status', data: { to: 'running' }, job: null } as unknown as CommittedEvent;
  assert.deepEqual(await written(gone), [], 'the job has been deleted');
});

test('an event that cannot be logged is reported, and those after it are logged', async () => {
  const error = new Error('The images cannot be read.');
  const lines: unknown[] = [];
  let commit: (jobId: string, events: readonly CommittedEvent[]) => void = assert.fail;
  const flush = logJobEvents({
    events: {
      onCommitted(listener) {
        commit = listener;
      },
    },
    catalog: { ...catalogOf(), get: () => Promise.reject(error) },
    log: { info: (...line) => lines.push(line), warn: assert.fail, error: (...line) => lines.push(line) },
    meter: { statusChanged() {}, preempted() {}, finishedEpoch: () => lines.push('epoch') },
    currentRequestId: () => undefined,
    onRestart: assert.fail,
  });
  const running = { type: 'status', data: { to: 'running' }, job: { dataset: 'tiny' } };
  commit('job_1', [running as unknown as CommittedEvent]);
  commit('job_1', [{ type: 'epoch', data: {}, job: null } as unknown as CommittedEvent]);
  await flush();
  assert.deepEqual(lines, [[{ jobId: 'job_1', err: error }, 'failed to log job events'], 'epoch']);
});
