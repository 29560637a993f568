/** Standardized models: mean and deviation are stored and applied to predictions. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { architectureOf } from '../../../src/domain/models/architecture.ts';
import type { ModelVersion } from '../../../src/domain/models/representation.ts';
import { npyBytes, parseNpy } from '../../../src/formats/arrays/npy.ts';
import { createForward } from '../../../src/numerics/network/forward.ts';
import { uploadShaped } from '../../http/shaped-models.ts';
import { upload } from '../../http/upload.ts';
import { shapedImages } from '../../support/shaped-images.ts';
import {
  assertProblem,
  startService,
  temporaryDirectory,
  testImage,
  tiny,
  train,
} from '../../support/start-service.ts';

const file = { after };
const stateDir = await temporaryDirectory(file);
const { app } = await startService(file, { STATE_DIR: stateDir });

const AUGMENTATION = { horizontalFlip: true, shift: 1, rotation: 15, scale: 0.2, noise: 0.05, erase: 0.3 };

interface Case {
  readonly modelName: string;
  readonly dataset: string;
  readonly pixels: Uint8Array;
  readonly augmentation: Partial<typeof AUGMENTATION>;
}

/** Trains a standardized model of the images and compares its predictions with float64. @returns the version */
async function assertStandardized({ modelName, dataset, pixels, augmentation }: Case): Promise<ModelVersion> {
  const training = {
    epochs: 2,
    batchSize: 32,
    validation: { fraction: 0.1 },
    standardize: true,
    augmentation,
  };
  const network = { hidden: [13, 6] };
  const job = await train(app, tiny({ dataset, modelName, network, training }));
  assert.equal(job.status, 'succeeded', job.error?.message);
  const version: ModelVersion = (await app.inject(`/v1/models/${modelName}/versions/1`)).json();
  assert.ok(version.standardization);
  const blob = await readFile(join(stateDir, 'blobs', job.digest!.replace('sha256:', '')));
  const parameters = new Float32Array(new Uint8Array(blob).buffer);

  const [inputs, classes] = [version.layerSizes[0]!, version.layerSizes.at(-1)!];
  const images = pixels.length / inputs;
  for (const count of [1, images]) {
    const sent = pixels.slice(0, count * inputs);
    const response = await app.inject({
      method: 'POST',
      url: `/v1/models/${modelName}/predictions`,
      headers: { 'content-type': 'application/octet-stream', accept: 'application/x-npy' },
      payload: Buffer.from(sent),
    });
    assert.equal(response.statusCode, 200);
    const { shape, data } = parseNpy(response.rawPayload);
    assert.deepEqual(shape, [count, classes]);
    const expected = (standardization: ModelVersion['standardization']) => {
      const probabilities = new Float64Array(count * classes);
      createForward({ ...version, architecture: architectureOf(version), standardization }, parameters)(
        probabilities.slice(),
        probabilities,
        sent,
      );
      return probabilities;
    };
    const largest = (wanted: Float64Array) =>
      Math.max(...wanted.map((p, i) => Math.abs(p - Number(data[i]))));
    assert.ok(largest(expected(version.standardization)) <= 1e-5);
    assert.ok(largest(expected(null)) > 1e-3, 'without them it is another function');
  }
  return version;
}

test('predictions agree with float64 on the stored parameters, mean and deviation', async () => {
  const images = await Promise.all(Array.from({ length: 100 }, (_, index) => testImage(app, index)));
  const version = await assertStandardized({
    modelName: 'scaled',
    dataset: 'fashion-mnist',
    augmentation: {},
    pixels: new Uint8Array(Buffer.concat(images)),
  });
  assert.equal(typeof version.standardization!.mean, 'number');
});

test('a model of augmented colour images has a mean and a deviation of each channel', async () => {
  const { id, test: pixels } = await uploadShaped(app, [12, 10, 3]);
  const version = await assertStandardized({
    modelName: 'colour',
    dataset: id,
    pixels,
    augmentation: AUGMENTATION,
  });
  const { mean, std } = version.standardization!;
  assert.deepEqual(
    [mean, std].map((numbers) => [numbers].flat().length),
    [3, 3],
  );
});

test('colour images of which a channel is constant cannot be standardized', async () => {
  const pixels = new Uint8Array(shapedImages([8, 8, 3], 40)).map((value, i) => (i % 3 === 1 ? 9 : value));
  const { id } = (
    await upload(app, {
      testFraction: '0.2',
      train_images: npyBytes(pixels, [40, 8, 8, 3]),
      train_labels: npyBytes(
        Uint8Array.from({ length: 40 }, (_, n) => n % 2),
        [40],
      ),
    })
  ).json();
  const training = { standardize: true, batchSize: 4 };
  const response = await app.inject({
    method: 'POST',
    url: '/v1/training-jobs',
    payload: { dataset: id, modelName: 'flat', training },
  });
  assertProblem(response, 422, 'impossible-request', '#/training/standardize');
  assert.match(response.json().detail, /^All green values of the \d+ training images of data set \S+ are 9/);
});
