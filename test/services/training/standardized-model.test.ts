/** Standardized models: mean and deviation are stored and applied to predictions. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ModelVersion } from '../../../src/domain/models/representation.ts';
import { parseNpy } from '../../../src/formats/arrays/npy.ts';
import { createForward } from '../../../src/numerics/network/forward.ts';
import { startService, temporaryDirectory, testImage, tiny, train } from '../../support/start-service.ts';

const file = { after };
const stateDir = await temporaryDirectory(file);
const { app } = await startService(file, { STATE_DIR: stateDir });

test('predictions agree with float64 on the stored parameters, mean and deviation', async () => {
  const training = { epochs: 2, batchSize: 1024, validation: { fraction: 0.1 }, standardize: true };
  const job = await train(app, tiny({ modelName: 'scaled', network: { hidden: [13, 6] }, training }));
  assert.equal(job.status, 'succeeded', job.error?.message);
  const version: ModelVersion = (await app.inject('/v1/models/scaled/versions/1')).json();
  assert.ok(version.standardization);
  const blob = await readFile(join(stateDir, 'blobs', job.digest!.replace('sha256:', '')));
  const parameters = new Float32Array(new Uint8Array(blob).buffer);

  const images = await Promise.all(Array.from({ length: 100 }, (_, index) => testImage(app, index)));
  for (const count of [1, 100]) {
    const pixels = new Uint8Array(Buffer.concat(images.slice(0, count)));
    const response = await app.inject({
      method: 'POST',
      url: '/v1/models/scaled/predictions',
      headers: { 'content-type': 'application/octet-stream', accept: 'application/x-npy' },
      payload: Buffer.from(pixels),
    });
    assert.equal(response.statusCode, 200);
    const { shape, data } = parseNpy(response.rawPayload);
    assert.deepEqual(shape, [count, 10]);
    const expected = (standardization: ModelVersion['standardization']) => {
      const probabilities = new Float64Array(count * 10);
      createForward({ ...version, standardization }, parameters)(
        probabilities.slice(),
        probabilities,
        pixels,
      );
      return probabilities;
    };
    const largest = (wanted: Float64Array) =>
      Math.max(...wanted.map((p, i) => Math.abs(p - Number(data[i]))));
    assert.ok(largest(expected(version.standardization)) <= 1e-5);
    assert.ok(largest(expected(null)) > 1e-3, 'without them it is another function');
  }
});
