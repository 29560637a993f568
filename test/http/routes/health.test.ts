import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, test } from 'node:test';
import { assertProblem, startService, temporaryDirectory, tiny } from '../../start-service.ts';

const { app } = await startService({ after });

test('reports liveness, and readiness with its checks', async () => {
  const live = await app.inject('/health/live');
  assert.deepEqual([live.statusCode, live.json()], [200, { live: true }]);
  const ready = await app.inject('/health/ready');
  const checks = { database: true, datasets: true, accepting: true, storage: true };
  assert.deepEqual([ready.statusCode, ready.json()], [200, { ready: true, checks }]);
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
