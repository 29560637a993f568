import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InjectOptions } from 'fastify';
import { DATA_DIR } from '../../support/data-directory.ts';
import { startService, tiny, train } from '../../support/start-service.ts';

test('an export and a gradient check complete during a long evaluation', async (t) => {
  const { app } = await startService(t, { DATA_DIR });
  await train(app, tiny({ modelName: 'wide', network: { hidden: [800] } }));
  const version = '/v1/models/wide/versions/1';
  const ended: string[] = [];
  const send = async (what: string, request: InjectOptions) => {
    const response = await app.inject(request);
    assert.equal(response.statusCode, 200, response.body);
    ended.push(what);
  };
  const evaluation = send('evaluation', { url: `${version}/evaluation?split=train` });
  await send('export', { url: `${version}/export?format=safetensors` });
  await send('gradient check', { method: 'POST', url: '/v1/gradient-checks', payload: { examples: 1 } });
  await evaluation;
  assert.deepEqual(ended, ['export', 'gradient check', 'evaluation']);
});
