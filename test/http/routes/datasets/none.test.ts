import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { zipSync } from 'fflate';
import type { ModelVersion } from '../../../../src/domain/models/representation.ts';
import { npzBytes } from '../../../../src/formats/arrays/npz.ts';
import { shapeFolders } from '../../../datasets/upload/shapes.ts';
import { tensor } from '../../../formats/fixtures.ts';
import {
  assertProblem,
  startService,
  temporaryDirectory,
  tiny,
  train,
} from '../../../support/start-service.ts';
import { importFile } from '../../import-file.ts';
import { upload } from '../../upload.ts';

const file = { after };
const DATA_DIR = join(await temporaryDirectory(file), 'absent');
const { app } = await startService(file, { DATASETS: 'none', STARTER_JOB: 'on', DATA_DIR });

test('without built-in data sets the service is ready, and names what is missing', async () => {
  const ready = await app.inject('/health/ready');
  assert.equal(ready.statusCode, 200, ready.body);
  assert.deepEqual((await app.inject('/v1/datasets')).json().data, []);
  assert.deepEqual((await app.inject('/v1/training-jobs')).json().data, []);
  for (const [url, payload] of [
    ['/v1/training-jobs', tiny()],
    ['/v1/gradient-checks', {}],
  ] as const) {
    const problem = assertProblem(await app.inject({ method: 'POST', url, payload }), 422, 'unknown-dataset');
    assert.match(
      problem.detail,
      /fashion-mnist does not exist; .*must be uploaded first, with POST \/v1\/datasets/,
    );
  }
  const missing = await app.inject('/v1/datasets/fashion-mnist');
  assert.match(assertProblem(missing, 404, 'dataset-not-found').detail, /Existing data sets: none\./);
  assert.equal(
    (await app.inject({ method: 'POST', url: '/invocations', payload: { inputs: [[0]] } })).statusCode,
    404,
  );
});

test('imports, exports, uploads and trainings work', async () => {
  const file = npzBytes([tensor('W1', 3, 784), tensor('b1', 3)]);
  const imported = await importFile(app, file, { name: 'brought' });
  assert.equal(imported.statusCode, 201, imported.body);
  assert.equal(imported.json<ModelVersion>().lineage.dataset, null);
  for (const format of ['onnx', 'npz']) {
    const exported = await app.inject(`/v1/models/brought/versions/1/export?format=${format}`);
    assert.equal(exported.statusCode, 200, exported.body);
  }
  const uploaded = await upload(app, { file: zipSync(await shapeFolders(4, 2)) });
  assert.equal(uploaded.statusCode, 201, uploaded.body);
  const job = await train(app, { dataset: uploaded.json().id, training: { epochs: 1, batchSize: 4 } });
  assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
});

test('npm start downloads nothing', () => {
  const script = fileURLToPath(new URL('../../../../scripts/data.ts', import.meta.url));
  const env = { ...process.env, DATASETS: 'none', DATA_DIR, npm_lifecycle_event: 'prestart' };
  const { status, stdout } = spawnSync(process.execPath, [script], { env, encoding: 'utf8' });
  assert.deepEqual([status, stdout], [0, 'Data set: none, because DATASETS is none.\n']);
});
