import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../../../src/config/read.ts';
import { buildApp } from '../../../../src/http/app.ts';
import type { Services } from '../../../../src/http/services.ts';
import { assertProblem } from '../../../support/start-service.ts';

test('ROLE=worker serves health and metrics, and rejects everything else', async (t) => {
  const services = {
    health: {
      accepting: () => true,
      check: async () => ({
        ready: true,
        checks: { database: true, datasets: true, accepting: true, storage: true },
      }),
    },
    metrics: { contentType: 'text/plain', text: async () => 'atelier_jobs 1\n', requests: {} },
  };
  const config = readConfig({ DATABASE_URL: 'postgresql://localhost/atelier', ROLE: 'worker' });
  // The services of other routes are not read.
  const app = await buildApp(services as unknown as Services, config);
  t.after(() => app.close());
  for (const url of ['/health/live', '/health/ready', '/metrics']) {
    assert.equal((await app.inject(url)).statusCode, 200, url);
  }
  for (const url of ['/', '/docs', '/v1/models', '/v1/nothing']) {
    assert.match(assertProblem(await app.inject(url), 503, 'worker-replica').detail, /ROLE=api or ROLE=all/);
  }
  const payload = 'not JSON';
  const posted = await app.inject({ method: 'POST', url: '/v1/training-jobs', payload });
  assertProblem(posted, 503, 'worker-replica');
  const ready = await app.inject('/v2/health/ready');
  assert.equal(ready.statusCode, 503);
  assert.match(ready.json().error, /ROLE=worker/, 'in the format of the protocol');
});
