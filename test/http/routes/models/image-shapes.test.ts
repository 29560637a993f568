/** Models and data sets of different shapes: what they must not be combined for, and what stays the same. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { unzipSync } from 'fflate';
import { npyBytes, parseNpy } from '../../../../src/formats/arrays/npy.ts';
import type { ImageShape } from '../../../../src/numerics/network/image-shape.ts';
import { shapedImages } from '../../../support/shaped-images.ts';
import {
  assertProblem,
  startService,
  type TrainingBody,
  tiny,
  train,
} from '../../../support/start-service.ts';
import { trainShaped, uploadShaped } from '../../shaped-models.ts';
import { encodeForm, upload } from '../../upload.ts';

const { app } = await startService({ after });
// As many numbers, in other rows.
const [flat, tall] = [await trainShaped(app, [8, 32]), await trainShaped(app, [32, 8])];
const colour = await trainShaped(app, [32, 32, 3]);
const training = { epochs: 1, batchSize: 8 };
const body = (changes: Partial<TrainingBody>) => tiny({ network: { hidden: [6] }, training, ...changes });

const start = (changes: Partial<TrainingBody>) =>
  app.inject({ method: 'POST', url: '/v1/training-jobs', payload: body(changes) });

test('a warm start needs a data set of the shape of the model', async () => {
  for (const [model, dataset, shapes] of [
    [flat, tall, /8×32.*32×8/],
    [colour, flat, /32×32×3.*8×32/],
  ] as const) {
    const response = await start({ dataset: dataset.dataset, warmStart: model.name });
    const { detail, errors } = assertProblem(response, 422, 'impossible-request', '#/dataset');
    assert.match(`${detail} ${JSON.stringify(errors)}`, shapes);
  }
});

test('a teacher takes images of the shape of the data set', async () => {
  const distillation = { teachers: [flat.name] };
  const response = await start({ dataset: tall.dataset, training: { ...training, distillation } });
  const place = '#/training/distillation/teachers/0';
  const { detail } = assertProblem(response, 422, 'impossible-request', place);
  assert.match(detail, /takes images of 8×32, and those of data set dst_\w+ are 32×8/);
});

test('evaluations, gradient checks and prediction jobs need a data set of the shape of the model', async () => {
  const message = /Model shape-8-32 takes images of 8×32, but those of data set dst_\w+ are 32×8/;
  const evaluation = await app.inject(
    `/v1/models/${flat.name}/versions/1/evaluation?dataset=${tall.dataset}`,
  );
  assert.match(assertProblem(evaluation, 422, 'impossible-request', 'dataset').detail, message);
  for (const [url, payload] of [
    ['/v1/gradient-checks', { model: flat.name, dataset: tall.dataset }],
    ['/v1/prediction-jobs', { model: flat.name, dataset: tall.dataset, split: 'test' }],
  ] as const) {
    const response = await app.inject({ method: 'POST', url, payload });
    assert.match(assertProblem(response, 422, 'impossible-request', '#/dataset').detail, message, url);
  }
});

test('only versions of the same shape can be compared', async () => {
  for (const other of [tall, colour]) {
    const response = await app.inject(`/v1/models/${flat.name}/versions/1/comparison?with=${other.name}`);
    const { detail } = assertProblem(response, 422, 'impossible-request', 'with');
    const shown = other.shape.join('×');
    assert.match(
      detail,
      new RegExp(`has the input shape 8×32; version 1 of model ${other.name} has ${shown}\\.`),
    );
  }
});

test('a new version of another shape is not compared with the champion, and does not replace it', async () => {
  await train(app, body({ modelName: 'mixed', dataset: flat.dataset }));
  const job = await train(
    app,
    body({
      modelName: 'mixed',
      dataset: tall.dataset,
      publish: { promote: 'if-better', evenIfNotLearned: true },
    }),
  );
  assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
  const model = (await app.inject('/v1/models/mixed')).json();
  assert.deepEqual([model.aliases.champion, model.latest.version, model.latest.inputShape], [1, 2, [32, 8]]);
  const text = JSON.stringify((await app.inject(`/v1/training-jobs/${job.id}`)).json());
  assert.match(text, new RegExp(`trained on data set ${flat.dataset}, not on ${tall.dataset}`));
});

test('a training on the data set of a colour model can start from it, learn from it and be compared', async () => {
  const { dataset, name } = colour;
  const warm = await train(
    app,
    body({ dataset, modelName: name, warmStart: name, training: { epochs: 1, batchSize: 8 } }),
  );
  assert.equal(warm.status, 'succeeded', JSON.stringify(warm.error));
  const taught = { ...training, distillation: { teachers: [name] } };
  const student = await train(
    app,
    body({ dataset, modelName: name, network: { hidden: [3] }, training: taught }),
  );
  assert.equal(student.status, 'succeeded', JSON.stringify(student.error));
  const compared = await app.inject(`/v1/models/${name}/versions/1/comparison?with=${name}@3`);
  assert.equal(compared.statusCode, 200, compared.body);
  const evaluation = await app.inject(`/v1/models/${name}/versions/3/evaluation`);
  assert.equal(evaluation.json().examples, 20, evaluation.body);
  const weights = await app.inject(`/v1/models/${name}/versions/1/weights?layer=1`);
  assert.equal(weights.statusCode, 200, weights.body);
});

test('the receipt of a training on colour images is verified, bit for bit', async () => {
  const job = await train(
    app,
    body({ dataset: colour.dataset, modelName: 'verified', training: { ...training, standardize: true } }),
  );
  assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
  const response = await app.inject({ method: 'POST', url: `/v1/training-jobs/${job.id}/verify` });
  assert.equal(response.statusCode, 202, response.body);
  const location = String(response.headers.location);
  const events = await app.inject({ url: `${location}/events`, headers: { accept: 'text/event-stream' } });
  assert.equal(events.statusCode, 200);
  const { verification } = (await app.inject(location)).json();
  assert.equal(verification.agrees, true, JSON.stringify(verification));
});

/** Uploads 40 images of 256 values. */
function uploadAs(shape: ImageShape, headers = {}) {
  const pixels = shapedImages([8, 32], 40);
  const labels = Uint8Array.from({ length: 40 }, (_, n) => n % 2);
  const form = {
    imageShape: JSON.stringify(shape),
    train_images: npyBytes(pixels.subarray(0, 20 * 256), [20, 256]),
    train_labels: npyBytes(labels.subarray(0, 20), [20]),
    test_images: npyBytes(pixels.subarray(20 * 256), [20, 256]),
    test_labels: npyBytes(labels.subarray(20), [20]),
  };
  return upload(app, form, headers);
}

test('the same bytes of another shape are another data set, with the looks at the same test split', async () => {
  const [one, two] = [(await uploadAs([8, 32])).json(), (await uploadAs([16, 16])).json()];
  assert.deepEqual(
    [one.imageShape, two.imageShape],
    [
      [8, 32],
      [16, 16],
    ],
  );
  assert.notEqual(one.id, two.id);
  assert.notEqual(one.digest, two.digest);
  const looks = async (id: string) => (await app.inject(`/v1/datasets/${id}`)).json().splits.test.looks;
  assert.deepEqual([await looks(one.id), await looks(two.id)], [0, 0]);
  await train(app, body({ dataset: one.id, modelName: 'looked', testSet: 'once' }));
  assert.equal((await app.inject('/v1/models/looked/versions/1/evaluation')).statusCode, 200);
  const seen = await looks(one.id);
  assert.ok(seen > 0);
  assert.equal(await looks(two.id), seen);
});

test('a repeated upload with the same key gets the same response; another shape is another request', async () => {
  const headers = { 'idempotency-key': 'shaped' };
  const first = await uploadAs([32, 8], headers);
  assert.equal(first.statusCode, 201, first.body);
  const again = await uploadAs([32, 8], headers);
  assert.deepEqual([again.statusCode, again.body], [201, first.body]);
  assertProblem(await uploadAs([8, 32], headers), 422, 'idempotency-key-reused');
});

test('an exported data set of another shape gets the same id when it is uploaded again', async () => {
  for (const { dataset, shape } of [flat, colour]) {
    const exported = await app.inject(`/v1/datasets/${dataset}/export`);
    assert.equal(exported.statusCode, 200);
    const images = parseNpy(unzipSync(exported.rawPayload)['x_train.npy']!);
    assert.deepEqual(images.shape, [130, ...shape]);
    const again = await upload(app, { file: exported.rawPayload, classNames: 'up,down' });
    assert.deepEqual([again.statusCode, again.json().id], [200, dataset], again.body);
  }
  const range = await app.inject({
    url: `/v1/datasets/${colour.dataset}/splits/test/images?offset=0&limit=3`,
    headers: { accept: 'application/x-npy' },
  });
  const { shape, data } = parseNpy(range.rawPayload);
  assert.deepEqual([shape, data], [[3, 32, 32, 3], colour.pixels]);
});

test('the preview of a training counts the values of the images', async () => {
  const payload = body({ dataset: colour.dataset });
  const preview = await app.inject({ method: 'POST', url: '/v1/training-jobs/preview', payload });
  assert.equal(preview.statusCode, 200, preview.body);
  assert.deepEqual(preview.json().network, {
    layers: '3072-6-2',
    layerSizes: [3072, 6, 2],
    parameters: 18_452,
    multiplyAdds: 18_444,
  });
});

test('an upload that contradicts its field imageShape is a 422 that names both', async () => {
  const { payload, headers } = await encodeForm({
    imageShape: '[16, 17]',
    testFraction: '0.25',
    train_images: npyBytes(shapedImages([8, 32], 40), [40, 256]),
    train_labels: npyBytes(
      Uint8Array.from({ length: 40 }, (_, n) => n % 2),
      [40],
    ),
  });
  const response = await app.inject({ method: 'POST', url: '/v1/datasets', payload, headers });
  const { detail } = assertProblem(response, 422, 'invalid-dataset-file', '#/train_images');
  assert.match(detail, /\(40, 256\), but imageShape is 16×17; allowed: \(n, 16, 17\)/);
  const wrong = await uploadAs([7, 32]);
  assert.match(
    assertProblem(wrong, 400, 'invalid-request').detail,
    /#\/imageShape: Must be auto, \[height, width\]/,
  );
  const { id } = await uploadShaped(app, [9, 9]);
  assert.match(id, /^dst_/);
});
