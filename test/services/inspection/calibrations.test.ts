/** Versions calibrated as they are published. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Calibration } from '../../../src/domain/models/calibration.ts';
import type { ModelVersion } from '../../../src/domain/models/representation.ts';
import { importFile } from '../../http/import-file.ts';
import { uploadShaped } from '../../http/shaped-models.ts';
import { startService, temporaryDirectory, tiny, train } from '../../support/start-service.ts';

const file = { after };
const OFF = { DATASETS: 'none' };
const ON = { ...OFF, CALIBRATE_PUBLISHED: 'on' };
const PATH = '/v1/models/held/versions/1';

const training = { epochs: 4, batchSize: 8, validation: { fraction: 0.5 } };

/** Publishes a version of a data set of small images, of which enough to calibrate are held out, and enough are tested. */
async function publish(app: FastifyInstance, changes: Parameters<typeof tiny>[0] = {}): Promise<void> {
  const { id: dataset } = await uploadShaped(app, [8, 8], 'up,down', [200, 100]);
  const job = await train(app, tiny({ dataset, modelName: 'held', training, testSet: 'never', ...changes }));
  assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
}

async function untilCalibrated(app: FastifyInstance, path: string): Promise<Calibration> {
  for (;;) {
    const { calibration } = (await app.inject(path)).json<ModelVersion>();
    if (calibration !== null) return calibration;
    await wait(50);
  }
}

test('a published version is calibrated in the background, as it would be at its first use', async () => {
  const [{ app }, { app: other }] = [await startService(file, ON), await startService(file, OFF)];
  // Neither stops the calibrations after it: a version without validation images, and one that is deleted soon.
  await publish(app, { modelName: 'unheld', training: { ...training, validation: null } });
  await publish(app, { modelName: 'deleted' });
  assert.equal((await app.inject({ method: 'DELETE', url: '/v1/models/deleted' })).statusCode, 204);
  await publish(app);
  await publish(other);
  const calibration = await untilCalibrated(app, PATH);
  assert.equal(calibration.split, 'validation');
  assert.deepEqual((await other.inject(`${PATH}/calibration`)).json(), calibration);
  assert.equal((await app.inject('/v1/models/unheld/versions/1')).json<ModelVersion>().calibration, null);

  const exported = await app.inject(`${PATH}/export?format=safetensors`);
  const { dataset } = calibration;
  assert.equal((await importFile(app, exported.rawPayload, { name: 'imported', dataset })).statusCode, 201);
  assert.equal((await untilCalibrated(app, '/v1/models/imported/versions/1')).split, 'test');
});

test('a service that stops leaves the calibration to the first use', async () => {
  const STATE_DIR = await temporaryDirectory(file);
  const stopped = await startService(file, { STATE_DIR, ...ON });
  await publish(stopped.app);
  await stopped.close();
  const { app } = await startService(file, { STATE_DIR, ...OFF });
  assert.equal((await app.inject(`${PATH}/calibration`)).statusCode, 200);
});
