import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { zipSync } from 'fflate';
import { type DatasetSummary, datasetSchema } from '../../../../src/domain/datasets/representation.ts';
import type { CheckpointRecord } from '../../../../src/domain/jobs/checkpoint.ts';
import type { ModelVersion } from '../../../../src/domain/models/representation.ts';
import type { Explanation } from '../../../../src/domain/predictions/explanation.ts';
import type { Predictions } from '../../../../src/protocols/native/schema.ts';
import { SHAPES, shapeFolders } from '../../../datasets/upload/shapes.ts';
import { startService, train } from '../../../support/start-service.ts';
import { importFile } from '../../import-file.ts';
import { upload } from '../../upload.ts';

const { app } = await startService({ after });
const files = await shapeFolders(60, 20);
const tests = Object.entries(files)
  .filter(([path]) => path.startsWith('test/'))
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([path, bytes]) => ({ bytes, label: SHAPES.findIndex((shape) => path.includes(shape)) }));

/** The drawings are in colour. In grey, their light background is inverted. */
const imageShape = '28,28';
const response = await upload(app, { file: zipSync(files), name: 'Shapes', imageShape });
assert.equal(response.statusCode, 201, response.body);
const dataset: DatasetSummary = datasetSchema.parse(response.json());
const job = await train(app, {
  dataset: dataset.id,
  modelName: 'shapes',
  training: { epochs: 12, batchSize: 16, optimizer: { type: 'adam', learningRate: 0.002 } },
});
const PREPROCESSING = { fit: 'contain', background: 'auto', invert: 'always' };

/** Predictions of the original files, in the order of the test split. */
async function predictForm(url: string): Promise<Predictions> {
  const data = new FormData();
  for (const [n, { bytes }] of tests.entries())
    data.append('file', new Blob([new Uint8Array(bytes)]), `${n}.png`);
  const encoded = new Response(data);
  const response = await app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': encoded.headers.get('content-type')! },
    payload: Buffer.from(await encoded.arrayBuffer()),
  });
  assert.equal(response.statusCode, 200, response.body);
  return response.json();
}

const b64 = tests.map(({ bytes }) => ({ b64: bytes.toString('base64') }));
const post = (url: string, payload: object) => app.inject({ method: 'POST', url, payload });
const indexOfLargest = (row: readonly number[]) => row.indexOf(Math.max(...row));
const accuracyOf = (labels: readonly number[]) =>
  labels.filter((label, n) => label === tests[n]!.label).length / tests.length;

/** The test split as the network sees it, as bytes. */
async function testPixels(): Promise<Buffer> {
  const images = tests.map((_, n) =>
    app.inject({
      url: `/v1/datasets/${dataset.id}/splits/test/images/${n}`,
      headers: { accept: 'application/octet-stream' },
    }),
  );
  return Buffer.concat((await Promise.all(images)).map(({ rawPayload }) => rawPayload));
}

test('images in class folders become a data set with the preprocessing in its row and its report', async () => {
  assert.deepEqual(dataset.classNames, [...SHAPES]);
  assert.deepEqual(dataset.preprocessing, PREPROCESSING);
  assert.deepEqual(dataset.splits.train.examplesPerClass, [60, 60, 60]);
  assert.deepEqual(dataset.report!.archive, {
    layout: 'split/class/file, with the splits test, train',
    damaged: { images: 0, first: [] },
    images: 240,
    imagesPerClass: [80, 80, 80],
    smallest: [96, 80],
    largest: [96, 80],
    ignored: { files: 0, first: [] },
  });
  const row = (await app.inject(`/v1/datasets/${dataset.id}`)).json<DatasetSummary>();
  // The training measured the test split after each epoch.
  assert.equal(row.splits.test.looks, 12);
  delete row.splits.test.looks;
  assert.deepEqual(row, response.json());
});

test('the original files get the accuracy of the data set, in every protocol', async () => {
  assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
  const expected = job.latest!.testAccuracy!;
  assert.ok(expected > 0.9, `${expected}`);

  const pixels = await testPixels();
  const asNumbers = await app.inject({
    method: 'POST',
    url: '/v1/models/shapes/predictions',
    headers: { 'content-type': 'application/octet-stream' },
    payload: pixels,
  });
  const { predictions } = asNumbers.json<Predictions>();
  assert.equal(accuracyOf(predictions.map(({ label }) => label)), expected);
  const probabilities = predictions.map((each) => each.probabilities!);

  // Equal probabilities of every class for every image: the same pixels reached the network.
  const form = await predictForm('/v1/models/shapes/predictions');
  assert.deepEqual(
    form.predictions.map((each) => each.probabilities),
    probabilities,
  );
  const tensorflow = await post('/v1/models/shapes:predict', { instances: b64 });
  assert.deepEqual(tensorflow.json(), { predictions: probabilities });
  const mlflow = await post('/invocations?model=shapes', {
    dataframe_split: { columns: ['image'], data: b64.map((each) => [each.b64]) },
  });
  assert.deepEqual(mlflow.json(), { predictions: probabilities });
  const json = await post('/v1/models/shapes/versions/1/predictions', { images: b64 });
  assert.deepEqual(
    json.json<Predictions>().predictions.map((each) => each.probabilities),
    probabilities,
  );

  const { data: checkpoints } = (await app.inject(`/v1/training-jobs/${job.id}/checkpoints`)).json<{
    data: CheckpointRecord[];
  }>();
  const checkpoint = `/v1/training-jobs/${job.id}/checkpoints/${checkpoints.at(-1)!.step}/predictions`;
  const asBytes = await app.inject({
    method: 'POST',
    url: checkpoint,
    headers: { 'content-type': 'application/octet-stream' },
    payload: pixels,
  });
  assert.deepEqual(
    (await predictForm(checkpoint)).predictions.map((each) => each.probabilities),
    asBytes.json<Predictions>().predictions.map((each) => each.probabilities),
  );

  const [first] = tests;
  const explained = await app.inject({
    method: 'POST',
    url: '/v1/models/shapes/versions/1/explanations',
    headers: { 'content-type': 'image/png' },
    payload: first!.bytes,
  });
  assert.equal(explained.json<Explanation>().probability, Math.max(...probabilities[0]!));
  const both = await post('/v1/models/shapes:explain', { instances: b64.slice(0, 2) });
  assert.deepEqual(
    both.json<{ explanations: Explanation[] }>().explanations.map(({ label }) => label),
    probabilities.slice(0, 2).map(indexOfLargest),
  );
});

test('?fit= replaces the fit of the model, and a diagnosis reports what was applied', async () => {
  const [first] = tests;
  const corrected = async (query: string) => {
    const sent = await app.inject({
      method: 'POST',
      url: `/v1/models/shapes/predictions?diagnose=true${query}`,
      headers: { 'content-type': 'image/png' },
      payload: first!.bytes,
    });
    assert.equal(sent.statusCode, 200, sent.body);
    return sent.json<Predictions>().predictions[0]!.diagnosis!.corrected;
  };
  const inverted = { code: 'inverted', detail: 'inverted, as the training images were' };
  assert.deepEqual(await corrected(''), [
    { code: 'resized', detail: 'resized from 96×80 to 28×23, centred in 28×28' },
    inverted,
  ]);
  assert.deepEqual(await corrected('&fit=stretch'), [
    { code: 'resized', detail: 'stretched from 96×80 to 28×28' },
    inverted,
  ]);
});

test('an export holds the preprocessing, and an import restores it', async () => {
  for (const format of ['safetensors', 'onnx']) {
    const { rawPayload } = await app.inject(`/v1/models/shapes/versions/1/export?format=${format}`);
    const imported = await importFile(app, rawPayload, { name: `back-${format}`, dataset: dataset.id });
    assert.deepEqual(imported.json<ModelVersion>().preprocessing, PREPROCESSING, imported.body);
  }
});

test('equal uploads in any order of files are one data set, and other options give another', async () => {
  const reversed = Object.fromEntries(Object.entries(files).toReversed());
  const again = await upload(app, {
    file: zipSync({ ...reversed, 'README.md': new Uint8Array(3) }, { level: 0 }),
    imageShape,
  });
  assert.equal(again.statusCode, 200, again.body);
  assert.equal(again.json<DatasetSummary>().id, dataset.id);
  const other = await upload(app, {
    file: zipSync(files),
    fit: 'stretch',
    invert: 'never',
    background: 'white',
  });
  assert.equal(other.statusCode, 201, other.body);
  assert.deepEqual(other.json<DatasetSummary>().preprocessing, {
    fit: 'stretch',
    background: 'white',
    invert: 'never',
  });
});
