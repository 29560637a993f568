import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readExamples } from '../../../../src/http/openapi/examples.ts';
import { trainingJobRoutes } from '../../../../src/http/routes/jobs/collection.ts';
import { serveRoutes, TRAIN_KEY } from '../bare-app.ts';

const { TrainingJob: JOB, TrainingPreview: PREVIEW } = await readExamples();
const services = {
  training: { start: async () => JOB },
  previewTraining: async () => PREVIEW,
  waitAsPreferred: async () => false,
};

test('a job that may promote its version needs a key that may promote', async () => {
  const limited = await serveRoutes(trainingJobRoutes, services, TRAIN_KEY);
  const promoting = { ...TRAIN_KEY, scopes: ['promote'] as const };
  const allowed = await serveRoutes(trainingJobRoutes, services, promoting);
  for (const url of ['/v1/training-jobs', '/v1/training-jobs/preview']) {
    const post = (promote: string, app = limited) =>
      app.inject({ method: 'POST', url, payload: { dataset: 'fashion-mnist', publish: { promote } } });
    for (const promote of ['always', 'if-better']) {
      const { statusCode, headers } = await post(promote);
      assert.equal(statusCode, 403, url);
      assert.match(String(headers['www-authenticate']), /error="insufficient_scope", scope="promote"$/);
      assert.ok((await post(promote, allowed)).statusCode < 300, url);
    }
    assert.ok((await post('never')).statusCode < 300, url);
  }
});
