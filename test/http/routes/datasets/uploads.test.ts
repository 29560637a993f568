import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import {
  checkedDatasetSchema,
  type DatasetSummary,
  datasetSchema,
  MAX_SAMPLES,
} from '../../../../src/domain/datasets/representation.ts';
import { parseNpy } from '../../../../src/formats/arrays/npy.ts';
import { DIGIT_NAMES, digits, images, labels, npy, npz, small } from '../../../datasets/upload/fixtures.ts';
import {
  assertProblem,
  cancelJob,
  endless,
  isRunning,
  queueJob,
  startService,
  temporaryDirectory,
  tiny,
  train,
  untilJob,
} from '../../../support/start-service.ts';
import { encodeForm, storedFiles, upload } from '../../upload.ts';

const file = { after };
const MAX_DATASET_BYTES = 4_000_000;
const stateDir = await temporaryDirectory(file);
const environment = { STATE_DIR: stateDir, MAX_DATASET_BYTES: String(MAX_DATASET_BYTES) };
const { app } = await startService(file, environment);

async function uploaded(form: Parameters<typeof upload>[1]): Promise<DatasetSummary> {
  const response = await upload(app, form);
  assert.equal(response.statusCode, 201, response.body);
  return datasetSchema.parse(response.json());
}

const DIGITS = { name: 'Digits', classNames: JSON.stringify(DIGIT_NAMES), file: digits };

test('the digits of scikit-learn can be trained on, predicted, checked and shown with their class names', async () => {
  const response = await upload(app, DIGITS);
  assert.equal(response.statusCode, 201, response.body);
  const dataset = datasetSchema.parse(response.json());
  const { id } = dataset;
  assert.equal(response.headers.location, `/v1/datasets/${id}`);
  assert.match(id, /^dst_[0-9a-f]{40}$/);
  assert.deepEqual([dataset.name, dataset.classNames], ['Digits', DIGIT_NAMES]);
  const shown = (await app.inject(`/v1/datasets/${id}`)).json();
  assert.equal(shown.splits.test.looks, 0);
  delete shown.splits.test.looks;
  assert.deepEqual(shown, dataset);
  const list = (await app.inject('/v1/datasets')).json<{ data: DatasetSummary[] }>().data;
  assert.deepEqual(
    list.map((each) => each.id),
    [id, 'fashion-mnist'],
  );

  const job = await train(app, {
    dataset: id,
    modelName: 'digits',
    training: { epochs: 10, batchSize: 16, optimizer: { type: 'adam', learningRate: 0.002 } },
  });
  assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
  assert.equal(job.gradientCheckReport?.passed, true);
  assert.ok(job.latest!.testAccuracy! > 0.95, `${job.latest?.testAccuracy}`);

  let right = 0;
  for (let n = 0; n < 20; n++) {
    const picture = await app.inject(`/v1/datasets/${id}/splits/test/images/${n}`);
    const predictions = await app.inject({
      method: 'POST',
      url: '/v1/models/digits/predictions',
      payload: picture.rawPayload,
      headers: { 'content-type': 'image/png' },
    });
    const [{ className, label, probabilities }] = predictions.json().predictions;
    assert.equal(className, DIGIT_NAMES[label]);
    assert.equal(probabilities.length, 7);
    if (className === picture.headers['x-class-name']) right++;
  }
  assert.ok(right >= 18, `${right} of 20`);

  const evaluation = await app.inject('/v1/models/digits/versions/1/evaluation');
  assert.equal(evaluation.statusCode, 200, evaluation.body);
  assert.equal(evaluation.json().examples, 316);
  assert.equal(evaluation.json().accuracy, job.latest!.testAccuracy);
  for (const format of ['onnx', 'npz']) {
    const file = await app.inject(`/v1/models/digits/versions/1/export?format=${format}`);
    assert.equal(file.statusCode, 200, file.body);
  }

  const check = await app.inject({
    method: 'POST',
    url: '/v1/gradient-checks',
    payload: { dataset: id, network: { hidden: [10] }, coordinates: { sample: 500 } },
  });
  assert.equal(check.statusCode, 200, check.body);
  assert.equal(check.json().passed, true, check.body);
  assert.deepEqual(check.json().blocks.at(-1).shape, [7]);

  const checkModel = (body: object) =>
    app.inject({
      method: 'POST',
      url: '/v1/gradient-checks',
      payload: { model: 'digits', coordinates: { sample: 50 }, ...body },
    });
  const ofModel = await checkModel({});
  assert.equal(ofModel.statusCode, 200, ofModel.body);
  assert.deepEqual(ofModel.json().loss, (await checkModel({ dataset: id })).json().loss);
  assertProblem(await checkModel({ dataset: 'fashion-mnist' }), 422, 'impossible-request', '#/dataset');
});

test('images of one grey value cannot be standardized, but can be trained on', async () => {
  const grey = new Uint8Array(40 * 784).fill(7);
  const { id } = await uploaded({
    ...small(8, 4, 2),
    train_images: npy(grey, [40, 28, 28]),
    train_labels: npy(labels(40, 2), [40]),
  });
  const body = { dataset: id, modelName: 'grey', training: { epochs: 1, batchSize: 8 } };
  const response = await app.inject({
    method: 'POST',
    url: '/v1/training-jobs',
    payload: { ...body, training: { ...body.training, standardize: true } },
  });
  const problem = assertProblem(response, 422, 'impossible-request', '#/training/standardize');
  assert.match(problem.detail, /All pixels of the 36 training images .* are 7, .* Omit standardize/);
  const job = await train(app, body);
  assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
});

test('equal content is the same data set, in other formats, with other names, and concurrently', async () => {
  const pixels = images(40, 2);
  const arrays = { x_train: npy(pixels, [40, 784]), y_train: npy(labels(40, 2), [40]) };
  const [one, two] = await Promise.all([
    upload(app, { file: npz(arrays), testFraction: '0.25', name: 'one' }),
    upload(app, { file: npz(arrays, 0), testFraction: '0.25', name: 'two' }),
  ]);
  assert.deepEqual([one.statusCode, two.statusCode].toSorted(), [200, 201], one.body);
  assert.deepEqual(one.json(), two.json());
  assert.equal(two.headers.location, one.headers.location);
  const floats = {
    train_images: npy(
      Float32Array.from(pixels, (pixel) => pixel / 255),
      [40, 28, 28],
    ),
    train_labels: arrays.y_train,
  };
  const third = await upload(app, { ...floats, testFraction: '0.25' });
  assert.equal(third.statusCode, 200);
  assert.equal(third.json().id, one.json().id);
  const named = await uploaded({ ...floats, testFraction: '0.25', classNames: '["even","odd"]' });
  assert.notEqual(named.id, one.json().id);
  assert.equal(named.digest, one.json().digest);
});

test('images of an uploaded data set have the pixels sent', async () => {
  const files = small(6, 4);
  const { id } = await uploaded({ ...files });
  const { data } = parseNpy(files['test_images']!);
  const response = await app.inject({
    url: `/v1/datasets/${id}/splits/test/images/3`,
    headers: { accept: 'application/octet-stream' },
  });
  assert.deepEqual([...response.rawPayload], [...data.subarray(3 * 784)]);
  assert.equal(response.headers['x-class-name'], '1');
  assertProblem(await app.inject(`/v1/datasets/${id}/splits/test/images/4`), 404, 'image-not-found');
});

test('trains on 2 and on 1,000 classes', async () => {
  for (const classes of [2, 1000]) {
    const { id } = await uploaded({ ...small(3 * classes, classes, classes) });
    const job = await train(app, {
      dataset: id,
      network: { hidden: [4] },
      training: { epochs: 1, batchSize: 2 },
      publish: { evenIfNotLearned: true },
    });
    assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
    const version = (await app.inject(`/v1/models/${id}/versions/1`)).json();
    assert.deepEqual(version.layerSizes, [784, 4, classes]);
    assert.equal(version.classNames.length, classes);
  }
});

test('an Idempotency-Key replays the first response and rejects another upload', async () => {
  const files = small(12, 4);
  const headers = { 'idempotency-key': 'an-upload' };
  const first = await upload(app, { ...files, name: 'first' }, headers);
  assert.equal(first.statusCode, 201, first.body);
  const again = await upload(app, { ...files, name: 'first' }, headers);
  assert.deepEqual([again.statusCode, again.headers['idempotency-replayed']], [201, 'true']);
  assert.equal(again.body, first.body);
  const renamed = await upload(app, { ...files, name: 'second' }, headers);
  assertProblem(renamed, 422, 'idempotency-key-reused');
  const other = { ...files, train_labels: npy(labels(12, 3), [12]), name: 'first' };
  assertProblem(await upload(app, other, headers), 422, 'idempotency-key-reused');
});

test('a dry run answers as the upload would, with sample images, and stores nothing', async () => {
  // The parts of a form are removed after the response.
  const stored = async () => (await storedFiles(stateDir)).filter((name) => name.startsWith('dst_'));
  const before = await stored();
  const form = { ...DIGITS, name: 'Dry', classNames: DIGIT_NAMES.map((name) => `${name}-dry`).join(',') };
  const headers = { 'idempotency-key': 'dry-run' };
  const dry = await upload(app, { ...form, dryRun: 'true' }, headers);
  assert.equal(dry.statusCode, 200, dry.body);
  const { samples, createdAt, ...checked } = checkedDatasetSchema.parse(dry.json());
  assert.deepEqual(await stored(), before);
  assert.equal((await app.inject(`/v1/datasets/${checked.id}`)).statusCode, 404);
  assert.equal(createdAt, null);
  assert.deepEqual(
    samples!.map(({ label }) => label),
    Array.from({ length: MAX_SAMPLES }, (_, n) => n % DIGIT_NAMES.length),
  );
  // The key is free: the upload is not a replay of the dry run.
  const added = await upload(app, form, headers);
  assert.equal(added.statusCode, 201, added.body);
  const { createdAt: _, ...dataset } = datasetSchema.parse(added.json());
  assert.deepEqual(dataset, checked);
  for (const { split, index, image } of samples!) {
    const { rawPayload } = await app.inject(`/v1/datasets/${checked.id}/splits/${split}/images/${index}`);
    assert.equal(image, `data:image/png;base64,${rawPayload.toString('base64')}`);
  }
  const rejected = await upload(app, { ...form, dryRun: 'true', file: new Uint8Array(100) });
  assertProblem(rejected, 422, 'invalid-dataset-file');
  assertProblem(await upload(app, { ...form, dryRun: 'yes' }), 400, 'invalid-request');
  assert.equal((await app.inject({ method: 'DELETE', url: `/v1/datasets/${checked.id}` })).statusCode, 204);
});

test('reports defects of a data set by part and position', async () => {
  const files = small();
  const short = await upload(app, { ...files, train_labels: npy(labels(7, 2), [7]) });
  const problem = assertProblem(short, 422, 'invalid-dataset-file', '#/train_labels');
  assert.match(problem.detail, /7 labels for the 8 images of train_images/);
});

test('an empty field counts as absent, and class names may be separated by commas', async () => {
  const empty = { file: '', x_train: '', x_test: '', name: '', classNames: '', testFraction: '', seed: '' };
  const plain = await upload(app, { ...small(), ...empty });
  const { id, name, classNames } = plain.json();
  assert.deepEqual([plain.statusCode, name, classNames], [201, null, ['0', '1']], plain.body);
  assert.equal((await upload(app, small())).json().id, id);
  const named = await upload(app, { ...small(), classNames: ' cat, dog' });
  assert.deepEqual(named.json().classNames, ['cat', 'dog']);
  const quoted = await upload(app, { ...small(), classNames: '["cat","dog"]' });
  assert.deepEqual([quoted.statusCode, quoted.json().id], [200, named.json().id]);
});

test('a form reports which documented part is wrong', async () => {
  const text = await upload(app, { ...small(), x_test: 'none' });
  assert.match(text.json().detail, /#\/x_test: Must be a file, as in curl -F x_test=@/);
  const file = await upload(app, { ...small(), classNames: Buffer.from('["a","b"]') });
  assert.match(file.json().detail, /#\/classNames: Must be text, not a file/);
});

const REFUSED = [
  ['a part of another name', { ...small(), images: new Uint8Array(1) }, 400, 'invalid-request', '#/images'],
  [
    'class names in a file',
    { ...small(), classNames: Buffer.from('["a","b"]') },
    400,
    'invalid-request',
    '#/classNames',
  ],
  [
    'class names that are damaged JSON',
    { ...small(), classNames: '["cat", "dog"' },
    400,
    'invalid-request',
    '#/classNames',
  ],
  ['one class name', { ...small(), classNames: '["cat"]' }, 400, 'invalid-request', '#/classNames'],
  [
    'two class names alike',
    { ...small(), classNames: '["cat","cat"]' },
    400,
    'invalid-request',
    '#/classNames',
  ],
  [
    'a class name that is a number',
    { ...small(), classNames: '["cat",1]' },
    400,
    'invalid-request',
    '#/classNames/1',
  ],
  [
    'a class name with half of a surrogate pair',
    { ...small(), classNames: String.raw`["cat","\ud800"]` },
    400,
    'invalid-request',
    '#/classNames/1',
  ],
  [
    'a class name that is missing',
    { ...small(), classNames: 'cat,,dog' },
    400,
    'invalid-request',
    '#/classNames/1',
  ],
  ['a file part that is text', { ...small(), x_test: 'none' }, 400, 'invalid-request', '#/x_test'],
  ['a share above a half', { ...small(), testFraction: '0.6' }, 400, 'invalid-request', '#/testFraction'],
  [
    'a share that is no number',
    { ...small(), testFraction: 'some' },
    400,
    'invalid-request',
    '#/testFraction',
  ],
  ['a negative seed', { ...small(), seed: '-1' }, 400, 'invalid-request', '#/seed'],
  ['an unknown field', { ...small(), colour: 'grey' }, 400, 'invalid-request', '#/colour'],
  ['a long field', { ...small(), name: 'x'.repeat(100_000) }, 400, 'invalid-request', '#/name'],
  ['no file', { name: 'nothing' }, 400, 'malformed-body', undefined],
  [
    'an array by both of its names',
    { ...small(), x_train: new Uint8Array(1) },
    422,
    'invalid-dataset-file',
    '#/x_train',
  ],
  [
    'very many fields',
    Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`f${n}`, 'x'])),
    400,
    'malformed-body',
    undefined,
  ],
  [
    'more than there may be',
    { ...small(), train_images: new Uint8Array(MAX_DATASET_BYTES) },
    413,
    'body-too-large',
    undefined,
  ],
] as const;

for (const [title, form, status, code, place] of REFUSED) {
  test(`rejects ${title}`, async () => {
    assertProblem(await upload(app, form), status, code, place);
  });
}

test('the range of the test fraction is stated, with what was sent', async () => {
  for (const [testFraction, shown] of [
    ['-1', '"-1"'],
    ['0.6', '0.6'],
  ] as const) {
    const { detail } = assertProblem(await upload(app, { ...small(), testFraction }), 400, 'invalid-request');
    assert.match(
      detail!,
      new RegExp(`#/testFraction: Must be a number from 0\\.05 to 0\\.5, but is ${shown}\\.`),
    );
  }
});

test('rejects a body that is not a form or is truncated', async () => {
  const post = (payload: Buffer | string, type?: string) =>
    app.inject({
      method: 'POST',
      url: '/v1/datasets',
      payload,
      headers: type === undefined ? {} : { 'content-type': type },
    });
  assertProblem(await post('{}', 'application/json'), 415, 'unsupported-media-type');
  assertProblem(await post(digits, 'application/octet-stream'), 415, 'unsupported-media-type');
  assertProblem(await app.inject({ method: 'POST', url: '/v1/datasets' }), 415, 'unsupported-media-type');
  assertProblem(await post('x', 'multipart/form-data'), 400, 'malformed-body');
  const { payload, headers } = await encodeForm(DIGITS);
  assertProblem(
    await post(payload.subarray(0, payload.length - 100), headers['content-type']),
    400,
    'malformed-body',
  );
  assertProblem(await post('', headers['content-type']), 400, 'malformed-body');
  for (const file of ['; filename="f"', '']) {
    const nameless = `--b\r\ncontent-disposition: form-data${file}\r\n\r\nx\r\n--b--\r\n`;
    const refused = await post(nameless, 'multipart/form-data; boundary=b');
    assert.match(assertProblem(refused, 400, 'malformed-body').detail, /a part has no name/);
  }
});

test('rejects files above the total limit while they arrive', async () => {
  const half = new Uint8Array(MAX_DATASET_BYTES / 2 + 1);
  assertProblem(await upload(app, { train_images: half, test_images: half }), 413, 'body-too-large');
});

test('rejected uploads leave no files', async () => {
  const strange = (await storedFiles(stateDir)).filter((name) => !/^dst_[0-9a-f]{40}$/.test(name));
  assert.deepEqual(strange, []);
});

test('aborted uploads leave no files', async (t) => {
  const own = await temporaryDirectory(t);
  const { app: listening } = await startService(t, { STATE_DIR: own });
  await listening.listen({ port: 0, host: '127.0.0.1' });
  const { payload, headers } = await encodeForm(DIGITS);
  const socket = connect((listening.server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(
    `POST /v1/datasets HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${headers['content-type']}\r\nContent-Length: ${payload.length}\r\n\r\n`,
  );
  socket.write(payload.subarray(0, 50_000));
  const until = async (count: number) => {
    while ((await storedFiles(own)).length !== count) await wait(5);
  };
  await until(1);
  socket.destroy();
  await until(0);
});

test('a data set can be deleted once no job uses it, and its models stay', async () => {
  const { id } = await uploaded({ ...small(16, 4), name: 'short-lived' });
  const done = await train(app, tinyOn(id, 'kept'));
  assert.equal(done.status, 'succeeded');
  const job = await queueJob(app, {
    ...endless,
    dataset: id,
    training: { epochs: 10_000, batchSize: 1, validation: null },
  });
  await untilJob(app, job.id, isRunning);
  const remove = (headers = {}) => app.inject({ method: 'DELETE', url: `/v1/datasets/${id}`, headers });
  assertProblem(await remove({ 'if-match': '"stale"' }), 412, 'precondition-failed', 'If-Match');
  const { etag } = (await app.inject(`/v1/datasets/${id}`)).headers;
  assert.match(assertProblem(await remove(), 409, 'dataset-in-use').detail, new RegExp(job.id));
  await cancelJob(app, job.id);
  await untilJob(app, job.id, ({ status }) => status === 'cancelled');
  const deleted = await remove({ 'if-match': etag });
  assert.deepEqual([deleted.statusCode, deleted.body], [204, '']);
  assertProblem(await remove(), 404, 'dataset-not-found');
  assertProblem(await app.inject(`/v1/datasets/${id}`), 404, 'dataset-not-found');
  assert.ok(!(await storedFiles(stateDir)).includes(id));
  const started = await app.inject({ method: 'POST', url: '/v1/training-jobs', payload: tinyOn(id, 'kept') });
  assertProblem(started, 422, 'unknown-dataset', '#/dataset');
  const predicted = await app.inject({
    method: 'POST',
    url: '/v1/models/kept/predictions',
    payload: { image: new Array(784).fill(0) },
  });
  assert.equal(predicted.statusCode, 200, predicted.body);
  const check = await app.inject({ method: 'POST', url: '/v1/gradient-checks', payload: { model: 'kept' } });
  const { detail } = assertProblem(check, 422, 'unknown-dataset', '#/dataset');
  assert.match(detail, new RegExp(`training data set ${id} of .*kept no longer exists`));
});

const tinyOn = (dataset: string, modelName: string) =>
  tiny({ dataset, modelName, training: { epochs: 1, batchSize: 4, validation: null } });

test('built-in data sets cannot be deleted', async () => {
  const response = await app.inject({ method: 'DELETE', url: '/v1/datasets/fashion-mnist' });
  assertProblem(response, 409, 'dataset-in-use');
});

test('data sets survive a restart, and a damaged one is reported, is repaired by an upload, and affects no other', async (t) => {
  const own = { STATE_DIR: await temporaryDirectory(t) };
  const first = await startService(t, own);
  const [good, bad] = [small(16, 4), small(20, 4)];
  const { id } = (await upload(first.app, good)).json<DatasetSummary>();
  const { id: damaged } = (await upload(first.app, bad)).json<DatasetSummary>();
  await first.close();
  await writeFile(join(own.STATE_DIR, 'datasets', damaged), new Uint8Array(24 * 785));

  const { app: second } = await startService(t, { ...own, LOG_LEVEL: 'fatal' });
  const image = (of: string) => second.inject(`/v1/datasets/${of}/splits/train/images/0`);
  assert.equal((await image(id)).statusCode, 200);
  assert.match(
    assertProblem(await image(damaged), 500, 'dataset-damaged').detail,
    /Upload the data set again/,
  );
  assertProblem(
    await second.inject({ method: 'POST', url: '/v1/training-jobs', payload: tinyOn(damaged, 'x') }),
    500,
    'dataset-damaged',
  );
  assert.equal((await train(second, tinyOn(id, 'x'))).status, 'succeeded');
  assert.equal((await upload(second, bad)).statusCode, 200);
  assert.equal((await image(damaged)).statusCode, 200);
});
