import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, test } from 'node:test';
import { storageSchema } from '../../../../src/services/operations/storage.ts';
import {
  assertProblem,
  startService,
  temporaryDirectory,
  tiny,
  train,
} from '../../../support/start-service.ts';

const { app } = await startService({ after });

test('reports liveness, and readiness with its checks', async () => {
  const live = await app.inject('/health/live');
  assert.deepEqual([live.statusCode, live.json()], [200, { live: true }]);
  const ready = await app.inject('/health/ready');
  const checks = { database: true, datasets: true, accepting: true, storage: true };
  assert.deepEqual([ready.statusCode, ready.json()], [200, { ready: true, checks }]);
});

test('reports the bytes of the state by kind, and the disk', async () => {
  const { status, model } = await train(app);
  assert.ok(status === 'succeeded' && model);
  const response = await app.inject('/v1/storage');
  assert.equal(response.statusCode, 200, response.body);
  const { kinds, totalBytes, disk, measuredAt } = storageSchema.strict().parse(response.json());
  assert.ok(kinds && measuredAt);
  const version = 4 * (4 * 785 + 10 * 5);
  assert.deepEqual(kinds.models, { bytes: version, count: 1 });
  assert.ok(kinds.checkpoints.count === 1 && kinds.checkpoints.bytes > version);
  assert.deepEqual(kinds.datasets, { bytes: 0, count: 0 });
  assert.deepEqual([kinds.events, kinds.metrics, kinds.unreferenced], [null, null, null]);
  assert.equal(
    totalBytes,
    Object.values(kinds).reduce((sum, size) => sum + (size?.bytes ?? 0), 0),
  );
  assert.ok(disk.freeBytes > 0 && disk.freeBytes < disk.totalBytes);
});

test('is not ready without its state directory, and writes fail', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const lines: string[] = [];
  const { app } = await startService(t, { STATE_DIR: stateDir }, (line) => lines.push(line));
  await rm(stateDir, { recursive: true });
  for (let n = 0; n < 2; n++) {
    const ready = await app.inject('/health/ready');
    const checks = { database: false, datasets: true, accepting: true, storage: true };
    assert.deepEqual([ready.statusCode, ready.json()], [503, { ready: false, checks }]);
  }
  assert.equal((await app.inject('/v2/health/ready')).statusCode, 503);
  const ping = await app.inject('/ping');
  assert.equal(ping.statusCode, 503);
  assert.match(ping.json<{ message: string }>().message, /Failed checks: database;/);
  assert.equal(lines.length, 1, 'the log has the reason once');
  assert.ok(lines[0]!.includes(`${stateDir}/atelier.sqlite is not the file`), lines[0]);

  const job = await app.inject({ method: 'POST', url: '/v1/training-jobs', payload: tiny() });
  const { detail } = assertProblem(job, 500, 'state-unusable');
  assert.ok(!detail.includes(stateDir), detail);
  assert.deepEqual((await app.inject('/v1/training-jobs')).json(), {
    data: [],
    firstId: null,
    lastId: null,
    hasMore: false,
  });
  assert.equal((await app.inject('/health/live')).statusCode, 200);
});
