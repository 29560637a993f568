import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startService } from '../../start-service.ts';

const { app } = await startService({ after });

test('reports liveness, and readiness with its checks', async () => {
  const live = await app.inject('/health/live');
  assert.deepEqual([live.statusCode, live.json()], [200, { live: true }]);
  const ready = await app.inject('/health/ready');
  const checks = { database: true, datasets: true, accepting: true };
  assert.deepEqual([ready.statusCode, ready.json()], [200, { ready: true, checks }]);
});
