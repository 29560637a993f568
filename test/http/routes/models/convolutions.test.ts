/** A network with convolutions, from its training to everything that is done with its model. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { TrainingJob } from '../../../../src/domain/jobs/training.ts';
import { architectureOf } from '../../../../src/domain/models/architecture.ts';
import type { Model, ModelVersion } from '../../../../src/domain/models/representation.ts';
import { parseNpy } from '../../../../src/formats/arrays/npy.ts';
import { importModel } from '../../../../src/formats/models/import.ts';
import { parametersDigest } from '../../../../src/formats/models/metadata.ts';
import { createForward } from '../../../../src/numerics/network/forward.ts';
import type { ImageShape } from '../../../../src/numerics/network/image-shape.ts';
import type { Predictions } from '../../../../src/protocols/native/schema.ts';
import {
  assertProblem,
  hasEnded,
  startService,
  type TrainingBody,
  tiny,
  train,
  untilJob,
} from '../../../support/start-service.ts';
import { predictBytes, toPicture, uploadShaped } from '../../shaped-models.ts';
import { encodeForm } from '../../upload.ts';

const { app } = await startService({ after });
const SHAPE: ImageShape = [20, 17, 3];
const VALUES = 20 * 17 * 3;
const CONVOLUTIONS = [4, [8, 4]];
const STAGES = [[4], [8, 4]];
const { id: dataset, test: pixels } = await uploadShaped(app, SHAPE);
const network: TrainingBody['network'] = {
  convolutions: CONVOLUTIONS,
  norm: 'group',
  hidden: [6],
  init: 'he',
};
const training = {
  epochs: 2,
  batchSize: 8,
  dropout: 0.2,
  standardize: true,
  ema: { decay: 0.5 },
  optimizer: { learningRate: 0.05, momentum: 0.9 },
};
const body = (changes: Partial<TrainingBody> = {}) =>
  tiny({
    dataset,
    modelName: 'deep',
    network,
    training,
    ...changes,
  });
const job = await train(app, body({ gradientCheck: true }));
assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
const version = (await app.inject('/v1/models/deep')).json<Model>().latest;

const exportAs = async (format: string) => {
  const response = await app.inject(`/v1/models/deep/versions/1/export?format=${format}`);
  assert.equal(response.statusCode, 200, response.body);
  return new Uint8Array(response.rawPayload);
};

test('a version describes its layers', () => {
  const { convolutions, norm, layers, layerSizes, parameters } = version;
  assert.deepEqual(
    { convolutions, norm, layers, layerSizes },
    {
      convolutions: STAGES,
      norm: 'group',
      layers: '20×17×3-(4)-(8 4)-6-2',
      layerSizes: [VALUES, 10 * 8 * 4, 5 * 4 * 4, 6, 2],
    },
  );
  const kernels = 9 * (3 * 4 + 4 * 8 + 8 * 4) + 3 * (4 + 8 + 4);
  assert.equal(parameters, kernels + (80 + 1) * 6 + (6 + 1) * 2);
  assert.deepEqual(job.network.convolutions, CONVOLUTIONS);
  assert.equal(job.gradientCheckReport!.passed, true);
  assert.ok(job.gradientCheckReport!.kernel!.maxRelativeDifference < 1e-4);
  assert.equal(job.latest!.deadUnits.length, 4);
});

test('two threads train to the same bits', async () => {
  const again = await train(app, body({ training: { ...training, threads: 2 } }));
  assert.equal(again.digest, job.digest);
});

test('predictions agree with the reference, for raw bytes, PNG and JSON', async () => {
  const parameters = parseNpy(await exportAs('npy')).data as Float32Array;
  const count = pixels.length / VALUES;
  const expected = new Float64Array(2 * count);
  const { activation, standardization } = version;
  createForward({ architecture: architectureOf(version), activation, standardization }, parameters)(
    expected.slice(),
    expected,
    pixels,
  );
  const { predictions } = (await predictBytes(app, 'deep', pixels)).json<Predictions>();
  predictions.forEach(({ probabilities }, n) => {
    assert.ok(Math.abs(probabilities![0]! - expected[2 * n]!) < 1e-5, `image ${n}`);
  });
  const image = pixels.slice(0, VALUES);
  for (const [type, payload] of [
    ['image/png', await toPicture(image, SHAPE)],
    ['application/json', JSON.stringify({ image: [...image] })],
  ] as const) {
    const response = await app.inject({
      method: 'POST',
      url: '/v1/models/deep/predictions',
      headers: { 'content-type': type },
      payload,
    });
    assert.deepEqual(response.json<Predictions>().predictions[0], predictions[0], response.body);
  }
});

test('every export is imported again with its digest', async () => {
  const fields = { convolutions: JSON.stringify(STAGES), norm: 'group', inputShape: '20x17x3', hidden: '6' };
  for (const format of ['onnx', 'safetensors', 'npz', 'npy']) {
    const file = await exportAs(format);
    const isComplete = format === 'onnx' || format === 'safetensors';
    const hints = { convolutions: STAGES, norm: 'group', inputShape: SHAPE, hidden: [6] } as const;
    const { architecture, parameters } = importModel(file, isComplete ? {} : hints);
    assert.deepEqual(architecture, architectureOf(version), format);
    assert.equal(parametersDigest(parameters), version.digest);
    const form = await encodeForm({ name: `again-${format}`, ...(isComplete ? {} : fields), file });
    const response = await app.inject({ method: 'POST', url: '/v1/models', ...form });
    assert.equal(response.json<ModelVersion>().digest, version.digest, response.body);
  }
});

test('it can be checked, evaluated, explained, drawn, documented and reported', async () => {
  const check = await app.inject({
    method: 'POST',
    url: '/v1/gradient-checks',
    payload: { model: 'deep', examples: 2, coordinates: { sample: 100 } },
  });
  assert.equal(check.json().passed, true, check.body);
  assert.deepEqual(
    check
      .json()
      .blocks.slice(0, 4)
      .map(({ name }: { name: string }) => name),
    ['K1', 'c1', 'gamma1', 'beta1'],
  );
  const explained = await app.inject({
    method: 'POST',
    url: '/v1/models/deep/versions/1/explanations',
    headers: { 'content-type': 'application/octet-stream', accept: 'image/png' },
    payload: Buffer.from(pixels.subarray(0, VALUES)),
  });
  assert.equal(explained.statusCode, 200, explained.body);
  for (const path of [
    '/v1/models/deep/versions/1/evaluation',
    '/v1/models/deep/versions/1/card',
    '/v1/models/deep/versions/1/comparison?with=deep@2',
    `/v1/training-jobs/${job.id}/report?path=false`,
    // The path that a report shows has many more points, which takes seconds of convolutions.
    `/v1/training-jobs/${job.id}/plots/path?snapshots=4&grid=5&examples=20`,
    ...[1, 2, 3, 4, 5].map((layer) => `/v1/models/deep/versions/1/weights?layer=${layer}`),
  ]) {
    const response = await app.inject(path);
    assert.equal(response.statusCode, 200, `${path}: ${response.body.slice(0, 500)}`);
  }
  const sixth = await app.inject('/v1/models/deep/versions/1/weights?layer=6');
  assertProblem(sixth, 422, 'impossible-request', 'layer');
});

test('it can start and teach other trainings of the same layers, and is refused for others', async () => {
  const distillation = { teachers: ['deep'] };
  for (const changes of [{ warmStart: 'deep@1' }, { training: { ...training, distillation } }]) {
    const next = await train(app, body({ network: { ...network, init: 'uniform-fan-in' }, ...changes }));
    assert.equal(next.status, 'succeeded', JSON.stringify([next.error, next.gradientCheckReport]));
  }
  for (const [changes, place] of [
    [{ convolutions: [4, 8] }, '#/network/convolutions'],
    [{ norm: 'none' }, '#/network/norm'],
    [{ hidden: [7] }, '#/network/hidden'],
  ] as const) {
    const layers = { ...network, init: 'uniform-fan-in', ...changes };
    const payload = { ...body({ warmStart: 'deep@1' }), network: layers };
    const response = await app.inject({ method: 'POST', url: '/v1/training-jobs', payload });
    assertProblem(response, 422, 'impossible-request', place);
  }
});

test('a search varies the convolutions', async () => {
  const { publish: _, ...rest } = body();
  const payload = {
    ...rest,
    modelName: 'found',
    training: { ...training, epochs: 1 },
    vary: [{ path: '/network/convolutions', choices: [[], [4], [[4, 4], 8]] }],
    network: { hidden: [6] },
    method: { type: 'grid' },
  };
  const response = await app.inject({ method: 'POST', url: '/v1/searches', payload });
  assert.equal(response.statusCode, 202, response.body);
});

test('a verification trains the same bits again', async () => {
  const response = await app.inject({ method: 'POST', url: `/v1/training-jobs/${job.id}/verify` });
  const again = await untilJob(app, response.json<TrainingJob>().id, hasEnded);
  assert.equal(again.verification!.agrees, true, JSON.stringify(again));
});
