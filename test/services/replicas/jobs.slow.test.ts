/** Jobs and data sets of one replica, as another one sees them. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { small } from '../../datasets/upload/fixtures.ts';
import { openStream, upTo } from '../../http/read-events.ts';
import { upload } from '../../http/upload.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import { temporaryDatabase, withoutPostgres } from '../../support/servers/postgres.ts';
import {
  endless,
  hasEnded,
  isUnderway,
  queueJob,
  startService,
  tiny,
  untilJob,
} from '../../support/start-service.ts';

const scope = { after };
let api: FastifyInstance;
let worker: FastifyInstance;
if (!withoutPostgres) {
  const environment = { DATA_DIR, DATABASE_URL: await temporaryDatabase(scope) };
  ({ app: api } = await startService(scope, { ...environment, ROLE: 'api' }));
  ({ app: worker } = await startService(scope, environment));
}

describe('replicas', { skip: withoutPostgres }, () => {
  for (const [action, status] of [
    ['cancel', 'cancelled'],
    ['pause', 'paused'],
  ] as const) {
    test(`a job is ${status} from a replica that does not run it`, async (t) => {
      const { id } = await untilJob(api, (await queueJob(api, endless)).id, isUnderway);
      const startedAt = performance.now();
      const url = `/v1/training-jobs/${id}/${action}`;
      const response = await api.inject({ method: 'POST', url });
      assert.equal(response.statusCode, 202, response.body);
      const read = async () => (await worker.inject(`/v1/training-jobs/${id}`)).json();
      while ((await read()).status !== status) await wait(5);
      t.diagnostic(`${status} after ${(performance.now() - startedAt).toFixed()} ms`);
    });
  }

  test('a replica that does not train streams all events', async (t) => {
    const base = await api.listen({ port: 0 });
    const { id } = await queueJob(api, tiny({ training: { epochs: 20, batchSize: 256 } }));
    const stream = await openStream(`${base}/v1/training-jobs/${id}/events`);
    const ids: number[] = [];
    const lags: number[] = [];
    for await (const event of stream.events()) {
      ids.push(event.id);
      lags.push(Date.now() - Date.parse(event.at));
    }
    assert.deepEqual(ids, upTo(ids.length));
    assert.ok(ids.length > 20, `${ids.length} events`);
    assert.equal((await untilJob(api, id, hasEnded)).status, 'succeeded');
    // The first events may be older than the stream.
    const sorted = lags.slice(3).sort((x, y) => x - y);
    const [median, p95] = [0.5, 0.95].map((part) => sorted[Math.floor(part * sorted.length)]!);
    t.diagnostic(`${ids.length} events; lag ${median} ms median, ${p95} ms p95, ${sorted.at(-1)} ms at most`);
  });

  test('a data set uploaded to one replica is usable on the other at once', async () => {
    const uploaded = await upload(api, { ...small(16, 4), name: 'shared' });
    assert.equal(uploaded.statusCode, 201, uploaded.body);
    const { id } = uploaded.json();
    const training = { epochs: 1, batchSize: 4 };
    const payload = {
      dataset: id,
      modelName: 'shared',
      seed: 1,
      network: { hidden: [4] },
      training,
      publish: { evenIfNotLearned: true },
    };
    const started = await worker.inject({ method: 'POST', url: '/v1/training-jobs', payload });
    assert.equal(started.statusCode, 202, started.body);
    const job = await untilJob(worker, started.json().id, hasEnded);
    assert.equal(job.status, 'succeeded', job.error?.message);
    // The model that the worker published is loaded here.
    assert.equal((await api.inject('/v1/models/shared/versions/1')).statusCode, 200);
    await api.inject({ method: 'DELETE', url: '/v1/models/shared' });
    const unknown = await worker.inject(`/v1/datasets/dst_${'0'.repeat(40)}`);
    assert.equal(unknown.statusCode, 404);
  });
});
