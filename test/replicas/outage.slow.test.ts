import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { InjectOptions } from 'fastify';
import type { JobEvent } from '../../src/domain/jobs/training.ts';
import { collect } from '../http/metrics/samples.ts';
import { DATA_DIR } from '../support/data-directory.ts';
import { withoutPostgres } from '../support/servers/postgres.ts';
import { startPostgres } from '../support/servers/postgres-server.ts';
import {
  addCleanup,
  assertProblem,
  isUnderway,
  queueJob,
  startService,
  testImage,
  tiny,
  train,
  untilJob,
} from '../support/start-service.ts';

/** Longer than several attempts to connect, and shorter than the rest of the training. */
const OUTAGE_MS = 4_000;

test('an outage of the database during a job fails writes with 503, and nothing else', {
  skip: withoutPostgres,
}, async (t) => {
  const postgres = await startPostgres();
  addCleanup(t, postgres.remove);
  const lines: string[] = [];
  // The limit is counted in the database.
  const environment = { DATA_DIR, DATABASE_URL: postgres.url, RATE_LIMIT_PER_MINUTE: '100000' };
  const { app } = await startService(t, environment, (line) => lines.push(line));
  const body = tiny({
    seed: 7,
    network: { hidden: [8] },
    training: { epochs: 60, batchSize: 16, validation: { fraction: 0.95 }, checkpointEverySeconds: 1 },
  });
  const undisturbed = await train(app, { ...body, modelName: 'undisturbed' });
  assert.equal(undisturbed.status, 'succeeded');

  const image = await testImage(app, 0);
  const predict = async () => {
    const { statusCode } = await app.inject({
      method: 'POST',
      url: '/v1/models/undisturbed/predictions',
      headers: { 'content-type': 'application/octet-stream' },
      payload: image,
    });
    return statusCode;
  };
  const invocation: InjectOptions = {
    method: 'POST',
    url: '/invocations',
    payload: { inputs: [Array.from(image)] },
  };
  assert.equal((await app.inject(invocation)).statusCode, 200);
  const { id } = await queueJob(app, { ...body, modelName: 'disturbed' });
  const url = `/v1/training-jobs/${id}`;
  const stream = await app.inject({
    url: `${url}/events`,
    headers: { accept: 'text/event-stream' },
    payloadAsStream: true,
  });
  const followed = readAll(stream.stream());
  await untilJob(app, id, isUnderway);

  const statuses: number[] = [await predict()];
  let predicting = true;
  const predictions = (async () => {
    while (predicting) {
      statuses.push(await predict());
      await wait(20);
    }
  })();

  await postgres.kill();
  const killedAt = Date.now();
  const keyed = {
    method: 'POST',
    url: '/v1/training-jobs',
    headers: { 'idempotency-key': 'sent-during-the-outage' },
    payload: tiny({ modelName: 'repeated' }),
  } as const satisfies InjectOptions;
  let jobWaited = false;
  while (Date.now() - killedAt < OUTAGE_MS) {
    const requests: InjectOptions[] = [
      keyed,
      { method: 'POST', url: `${url}/pause` },
      { method: 'POST', url: `${url}/cancel` },
      { method: 'PUT', url: '/v1/models/undisturbed/aliases/best', payload: { version: 1 } },
      { method: 'PATCH', url: '/v1/models/undisturbed/versions/1', payload: { description: 'changed' } },
      { method: 'DELETE', url: '/v1/models/undisturbed/versions/1' },
      { url },
      { url: `${url}/events` },
    ];
    const headers = { accept: 'text/event-stream' };
    const reconnecting = await app.inject({ url: `${url}/events`, headers });
    assert.match(reconnecting.body, /^: The database does not answer\.\nretry: 1000\n$/);
    for (const request of requests) {
      const response = await app.inject(request);
      assertProblem(response, 503, 'storage-unavailable');
      const seconds = Number(response.headers['retry-after']);
      assert.ok(seconds >= 1 && seconds <= 10, String(seconds));
    }
    const ready = await app.inject('/health/ready');
    const { storage } = ready.json().checks;
    // The job is waiting from its first write during the outage on.
    if (!storage) jobWaited = true;
    const checks = { database: false, datasets: true, accepting: true, storage };
    assert.deepEqual([ready.statusCode, ready.json()], [200, { ready: true, checks }]);
    assert.equal((await app.inject('/ping')).statusCode, 200);
    assert.equal((await app.inject(invocation)).statusCode, 200, 'the only model is remembered');
    const value = await collect(app);
    assert.deepEqual([value('atelier_database_up{}'), value('atelier_queue_depth{}')], [0, undefined]);
    await wait(200);
  }
  assert.ok(jobWaited);
  await postgres.restart();

  const events = await followed;
  predicting = false;
  await predictions;
  const job = (await app.inject(url)).json();
  assert.deepEqual(
    [job.status, job.attempts, job.model?.digest ?? job.digest],
    ['succeeded', 1, undisturbed.digest],
    JSON.stringify(events.slice(-5)),
  );
  assert.deepEqual(
    events.map((event) => event.id),
    events.map((_, index) => index + 1),
  );
  const { publication, ...change } = events.at(-1)!.data;
  assert.deepEqual(change, { from: 'running', to: 'succeeded' });
  assert.ok(publication);
  t.diagnostic(`${statuses.length} predictions, ${events.length} events`);
  assert.deepEqual(new Set(statuses), new Set([200]));

  const repeated = await app.inject(keyed);
  assert.equal(repeated.statusCode, 202, repeated.body);
  assert.equal((await app.inject(keyed)).headers['idempotency-replayed'], 'true');
  assert.deepEqual((await app.inject('/health/ready')).json().checks, {
    database: true,
    datasets: true,
    accepting: true,
    storage: true,
  });
  assert.equal((await collect(app))('atelier_database_up{}'), 1);
  assert.equal(lines.filter((line) => /"statusCode":500/.test(line)).length, 0);
});

/** Reads a stream of events to its end. */
async function readAll(stream: NodeJS.ReadableStream): Promise<JobEvent[]> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  const text = Buffer.concat(chunks).toString();
  return Array.from(text.matchAll(/^data: (.+)$/gm), ([, data]) => JSON.parse(data!));
}
