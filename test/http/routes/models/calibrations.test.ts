/** Calibrations of versions, and predictions with a coverage, in all formats. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Calibration } from '../../../../src/domain/models/calibration.ts';
import type { ModelVersion } from '../../../../src/domain/models/representation.ts';
import type { TestSetUse } from '../../../../src/domain/models/test-set.ts';
import type { Diagnosis } from '../../../../src/domain/predictions/diagnosis.ts';
import type { PredictionJob } from '../../../../src/domain/predictions/job.ts';
import type { LabReport } from '../../../../src/domain/reports/lab-report.ts';
import type { ModelCard } from '../../../../src/domain/reports/model-card.ts';
import { npyBytes, parseNpy } from '../../../../src/formats/arrays/npy.ts';
import type { ImageShape } from '../../../../src/numerics/network/image-shape.ts';
import type { Predictions } from '../../../../src/protocols/native/schema.ts';
import { shapedImages } from '../../../support/shaped-images.ts';
import { assertProblem, startService, tiny, train } from '../../../support/start-service.ts';
import { importFile } from '../../import-file.ts';
import { parseSamples } from '../../metrics/samples.ts';
import { predictBytes } from '../../shaped-models.ts';
import { encodeForm, upload } from '../../upload.ts';

const { app } = await startService({ after });
const SHAPE: ImageShape = [10, 9, 3];
const VALUES = 10 * 9 * 3;
const [TRAINED, TESTED] = [200, 120];
const pixels = shapedImages(SHAPE, TRAINED + TESTED);
const labels = Uint8Array.from({ length: TRAINED + TESTED }, (_, n) => n % 2);
const end = TRAINED * VALUES;
const uploadImages = (images: Uint8Array, given = labels) =>
  upload(app, {
    classNames: 'up,down',
    train_images: npyBytes(images.subarray(0, end), [TRAINED, ...SHAPE]),
    train_labels: npyBytes(given.subarray(0, TRAINED), [TRAINED]),
    test_images: npyBytes(images.subarray(end), [TESTED, ...SHAPE]),
    test_labels: npyBytes(given.subarray(TRAINED), [TESTED]),
  });
const { id: dataset } = (await uploadImages(pixels)).json<{ id: string }>();
const tested = pixels.slice(end);
const inverted = tested.map((value) => 255 - value);

async function publish(modelName: string, changes: Parameters<typeof tiny>[0] = {}) {
  const job = await train(
    app,
    tiny({
      dataset,
      modelName,
      network: { convolutions: [4], hidden: [6] },
      training: { epochs: 4, batchSize: 8, validation: { fraction: 0.5 } },
      testSet: 'never',
      ...changes,
    }),
  );
  assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
}
await publish('plain');
const VERSION = '/v1/models/plain/versions/1';
const calibrate = (version: string, payload: object = {}) =>
  app.inject({ method: 'POST', url: `${version}/calibration`, payload });
const show = async (version: string) =>
  (await app.inject(version)).json<ModelVersion & { testSet: TestSetUse }>();
const predict = async (query: string, bytes = tested) => {
  const response = await predictBytes(app, 'plain', bytes, query);
  assert.equal(response.statusCode, 200, response.body);
  return response.json<Predictions>();
};

test('a version is calibrated on the validation images of its training when it is first used', async () => {
  assert.equal((await show(VERSION)).calibration, null);
  const plain = await predict('');
  const calibration = (await app.inject(`${VERSION}/calibration`)).json<Calibration>();
  const { split, images, trainingImages, reused, loss, temperature } = calibration;
  assert.deepEqual([split, images, trainingImages, reused], ['validation', 100, 100, false]);
  assert.ok(temperature > 0 && loss.after <= loss.before);
  assert.deepEqual((await show(VERSION)).calibration, calibration);
  assert.deepEqual(await predict(''), plain, 'default responses stay as they are');
});

test('a set holds the classes whose probability is high enough, and one class is sure', async () => {
  const { calibration, predictions } = await predict('?coverage=0.9');
  assert.deepEqual(calibration, { dataset, split: 'validation', images: 100, reused: false });
  assert.equal(predictions.length, TESTED);
  for (const { classes, unsure, unsureBecause } of predictions) {
    assert.equal(unsure, unsureBecause !== null);
    if (!unsure) assert.equal(classes!.length, 1);
  }
  const covered = predictions.filter(({ classes }, n) => classes!.some(({ label }) => label === n % 2));
  assert.ok(covered.length >= 0.8 * TESTED, `${covered.length}`);
  const { predictions: all } = await predict('?coverage=0.999');
  assert.ok(all.every(({ classes }) => classes!.length === 2));
});

test('a coverage that is not allowed is shown as it was sent', async () => {
  for (const [sent, shown] of [
    ['abc', '"abc"'],
    ['', '""'],
    ['1', '1'],
  ]) {
    const response = await predictBytes(app, 'plain', tested, `?coverage=${sent}`);
    const { errors } = assertProblem(response, 400, 'invalid-request');
    assert.equal(errors?.[0]?.detail, `Must be a number from 0.5 to 0.999, but is ${shown}.`);
  }
});

test('inverted, noisy and constant images are unlike the training images', async () => {
  const noise = inverted.map((_, i) => Math.imul(i + 7, 2_246_822_519) >>> 24);
  for (const strangers of [noise.subarray(0, 20 * VALUES), new Uint8Array(VALUES).fill(90)]) {
    const { predictions } = await predict('?coverage=0.9', strangers);
    assert.ok(predictions.every(({ unsureBecause }) => unsureBecause === 'unlike-training-images'));
  }
});

test('calibrated probabilities are those of the logits divided by the temperature', async () => {
  const { temperature } = (await app.inject(`${VERSION}/calibration`)).json<Calibration>();
  const { predictions } = await predict('?calibrated=true&logits=true');
  for (const { logits, probabilities } of predictions) {
    const odds = Math.exp((logits![1]! - logits![0]!) / temperature);
    assert.ok(Math.abs(probabilities![1]! - odds / (1 + odds)) < 1e-6);
  }
});

test('npy, forms, the Open Inference Protocol and prediction jobs give the same sets', async () => {
  const { predictions } = await predict('?coverage=0.9');
  const sets = predictions.map(({ classes }) => [0, 1].map((k) => classes!.some(({ label }) => label === k)));
  const unsure = predictions.map((each) => each.unsure);

  const npy = await app.inject({
    method: 'POST',
    url: '/v1/models/plain/predictions?coverage=0.9',
    headers: { 'content-type': 'application/octet-stream', accept: 'application/x-npy' },
    payload: Buffer.from(tested),
  });
  const { shape, data } = parseNpy(new Uint8Array(npy.rawPayload));
  assert.deepEqual([...shape], [TESTED, 3]);
  const rows = sets.map((_, n) => Array.from(data.subarray(3 * n, 3 * n + 3), Number));
  assert.deepEqual(
    rows.map((row) => [...row.slice(0, 2).map(Boolean), row[2]! > 0]),
    sets.map((set, n) => [...set, unsure[n]]),
  );

  const image = npyBytes(tested.slice(0, VALUES), SHAPE);
  const form = await app.inject({
    method: 'POST',
    url: '/v1/models/plain/predictions?coverage=0.9',
    ...(await encodeForm({ file: image })),
  });
  assert.deepEqual(form.json<Predictions>().predictions[0]!.classes, predictions[0]!.classes);

  const infer = await app.inject({
    method: 'POST',
    url: '/v2/models/plain/infer',
    payload: {
      parameters: { coverage: 0.9 },
      inputs: [{ name: 'image', shape: [TESTED, VALUES], datatype: 'UINT8', data: [...tested] }],
    },
  });
  assert.equal(infer.statusCode, 200, infer.body);
  const outputs = Object.fromEntries(
    infer
      .json<{ outputs: { name: string; data: unknown[] }[] }>()
      .outputs.map(({ name, data: values }) => [name, values]),
  );
  assert.deepEqual(outputs['prediction_set'], sets.flat());
  assert.deepEqual(outputs['unsure'], unsure);
  const unknown = await app.inject({
    method: 'POST',
    url: '/v2/models/plain/infer',
    payload: {
      inputs: [{ name: 'image', shape: [1, VALUES], datatype: 'UINT8', data: [...tested.slice(0, VALUES)] }],
      outputs: [{ name: 'sets' }],
    },
  });
  assert.equal(unknown.statusCode, 400);
  assert.match(unknown.body, /probabilities and label and, with the parameter .*, prediction_set and unsure/);
  const metadata = (await app.inject('/v2/models/plain')).json<{ outputs: { name: string }[] }>();
  assert.deepEqual(
    metadata.outputs.map(({ name }) => name),
    ['probabilities', 'label', 'prediction_set', 'unsure'],
  );

  const started = await app.inject({
    method: 'POST',
    url: '/v1/prediction-jobs',
    payload: { model: 'plain', dataset, split: 'test', coverage: 0.9 },
  });
  assert.equal(started.statusCode, 202, started.body);
  const location = started.headers.location!;
  let job = started.json<PredictionJob>();
  while (job.finishedAt === null) {
    await wait(5);
    job = (await app.inject(location)).json<PredictionJob>();
  }
  assert.deepEqual([job.coverage, job.unsure], [0.9, unsure.filter(Boolean).length]);
  const [header, ...lines] = (await app.inject(`${location}/result`)).body.trim().split('\r\n');
  assert.ok(header!.endsWith(',correct,classes,unsure,unsureBecause'), header);
  assert.deepEqual(
    lines.map((line) => line.split(',').slice(-3)),
    predictions.map(({ classes, unsure: isUnsure, unsureBecause }) => [
      classes!.map(({ label }) => label).join(' '),
      `${isUnsure}`,
      unsureBecause ?? '',
    ]),
  );
});

test('the metrics count the judgements of all protocols, and how many unsure images were to be expected', async () => {
  const { predictions } = await predict('?coverage=0.9');
  const samples = parseSamples((await app.inject('/metrics')).body);
  const counted = (judgement: string) =>
    samples.get(`atelier_judged_predictions_total{judgement="${judgement}",model="plain",version="1"}`)!;
  // Before: 20 images of noise and a constant one, one image in a form, and all images twice as JSON, and once each at another
  // coverage, as npy, by the Open Inference Protocol and by a prediction job.
  const reasons = ['sure', 'several-classes', 'no-class', 'unlike-training-images'];
  const total = reasons.reduce((sum, reason) => sum + counted(reason), 0);
  assert.equal(total, 21 + 1 + 7 * TESTED);
  assert.ok(counted('unlike-training-images') >= 21);
  const expected = samples.get('atelier_expected_unsure_predictions_total{model="plain",version="1"}')!;
  assert.ok(expected > 0.01 * total && expected <= total, `${expected}`);
  assert.ok(predictions.some(({ unsure }) => !unsure));
});

test('a large body, which is predicted while it arrives, gives the same sets, and is counted', async () => {
  const count = async () => {
    const samples = parseSamples((await app.inject('/metrics')).body);
    return ['judged_predictions_total{judgement="sure",', 'expected_unsure_predictions_total{'].map(
      (name) => samples.get(`atelier_${name}model="plain",version="1"}`)!,
    );
  };
  const repeats = 60;
  const query = '?coverage=0.9&calibrated=true';
  const before = await count();
  const few = await predict(query);
  const between = await count();
  const many = await predict(query, Buffer.concat(Array.from({ length: repeats }, () => tested)));
  assert.deepEqual(many, {
    ...few,
    predictions: Array.from({ length: repeats }, () => few.predictions).flat(),
  });
  for (const [k, counted] of (await count()).entries()) {
    const difference = counted - between[k]! - repeats * (between[k]! - before[k]!);
    assert.ok(Math.abs(difference) < 1e-6, `${difference}`);
  }
});

test('a diagnosis with a coverage finds the images far that the coverage finds unlike the training images', async () => {
  const noise = inverted.map((_, i) => Math.imul(i + 7, 2_246_822_519) >>> 24);
  const mixed = new Uint8Array([...tested, ...inverted, ...noise.subarray(0, 20 * VALUES)]);
  const { predictions } = await predict('?coverage=0.9&diagnose=true', mixed);
  const far = predictions.map(({ diagnosis }) => {
    const codes = diagnosis!.findings.map(({ code }) => code);
    const others = codes.filter((code) => code !== 'far-from-training-data');
    return { isFar: codes.length > others.length, isExplained: others.length > 0 };
  });
  for (const [n, { isFar, isExplained }] of far.entries()) {
    const isUnlike = predictions[n]!.unsureBecause === 'unlike-training-images';
    assert.equal(isFar, isUnlike && !isExplained, JSON.stringify(predictions[n]));
  }
  assert.ok(far.some(({ isFar }) => isFar) && !far.every(({ isFar }) => isFar));
});

test('a diagnosis without a coverage is judged by the calibration, and shows nothing else of it', async () => {
  // Every second column is black, so the centre of mass stays where it is.
  const striped = tested.map((value, i) => ((Math.floor(i / 3) % 9) % 2 === 0 ? value : 0));
  const { predictions, ...others } = await predict('?diagnose=true', striped);
  assert.deepEqual(Object.keys(others), ['model']);
  const undiagnosed = predictions.map(({ diagnosis: _, ...prediction }) => prediction);
  assert.deepEqual((await predict('', striped)).predictions, undiagnosed);
  const findFar = ({ findings }: Diagnosis) => findings.find(({ code }) => code === 'far-from-training-data');
  const far = predictions.map(({ diagnosis }) => findFar(diagnosis!));
  const first = far.findIndex((finding) => finding !== undefined);
  assert.match(far[first]!.detail, /few of the calibration images are as unusual/);
  const explained = await app.inject({
    method: 'POST',
    url: '/v1/models/plain/versions/1/explanations?diagnose=true',
    headers: { 'content-type': 'application/octet-stream' },
    payload: Buffer.from(striped.subarray(first * VALUES, (first + 1) * VALUES)),
  });
  assert.deepEqual(findFar(explained.json<{ diagnosis: Diagnosis }>().diagnosis), far[first]);
});

test('test images are counted as a look once, and take the place of the calibration before', async () => {
  await publish('looked', { seed: 1 });
  const version = '/v1/models/looked/versions/1';
  const before = (await show(version)).testSet.looks.total;
  for (let round = 0; round < 2; round++) {
    const response = await calibrate(version, { split: 'test' });
    assert.equal(response.statusCode, 200, response.body);
    assert.deepEqual(
      [response.json<Calibration>().split, response.json<Calibration>().images],
      ['test', 120],
    );
  }
  const { testSet, calibration } = await show(version);
  assert.equal(testSet.looks.total, before + 1);
  assert.equal(calibration?.split, 'test');
});

test('training images and validation images that stopped the training are reused', async () => {
  assert.equal((await calibrate(VERSION, { split: 'train' })).json<Calibration>().reused, true);
  const earlyStopping = { monitor: 'validationLoss', patience: 2 } as const;
  await publish('stopped', {
    training: { epochs: 4, batchSize: 8, validation: { fraction: 0.5 }, earlyStopping },
  });
  const response = await app.inject('/v1/models/stopped/versions/1/calibration');
  assert.equal(response.json<Calibration>().reused, true);
});

test('images are compared with those of the training, whatever data set a calibration is on', async () => {
  await publish('elsewhere', { seed: 2 });
  const version = '/v1/models/elsewhere/versions/1';
  const brighter = pixels.map((value) => 128 + (value >> 1));
  const { id: other } = (await uploadImages(brighter)).json<{ id: string }>();
  for (const [split, images] of [
    ['test', TESTED],
    ['train', TRAINED],
  ] as const) {
    const response = await calibrate(version, { dataset: other, split });
    assert.equal(response.statusCode, 200, response.body);
    const calibration = response.json<Calibration>();
    assert.deepEqual(
      [calibration.dataset, calibration.images, calibration.trainingImages, calibration.reused],
      [other, images, TRAINED, false],
    );
    const trained = await predictBytes(app, 'elsewhere', pixels.slice(0, end), '?coverage=0.9');
    const unlike = trained
      .json<Predictions>()
      .predictions.filter(({ unsureBecause }) => unsureBecause === 'unlike-training-images');
    assert.ok(unlike.length < 0.1 * TRAINED, `${unlike.length}`);
  }
  assert.equal((await app.inject({ method: 'DELETE', url: `/v1/datasets/${other}` })).statusCode, 204);
});

test('a version whose data set was deleted can be calibrated on another one, as the error states', async () => {
  const { id: lost } = (await uploadImages(pixels.map((value) => value ^ 1))).json<{ id: string }>();
  await publish('orphan', { dataset: lost });
  assert.equal((await app.inject({ method: 'DELETE', url: `/v1/datasets/${lost}` })).statusCode, 204);
  const response = await predictBytes(app, 'orphan', tested, '?coverage=0.9');
  assert.match(
    assertProblem(response, 409, 'not-calibrated').detail!,
    /because its data set was deleted\. Calibrate it with POST \S+ and the `dataset` of the images\.$/,
  );
  const calibrated = await calibrate('/v1/models/orphan/versions/1', { dataset });
  assert.equal(calibrated.statusCode, 200, calibrated.body);
});

test('a version whose training held out too few images states their number', async () => {
  await publish('few', { training: { epochs: 1, batchSize: 8, validation: { fraction: 0.1 } } });
  const { detail } = assertProblem(
    await predictBytes(app, 'few', tested, '?coverage=0.9'),
    409,
    'not-calibrated',
  );
  assert.match(
    detail!,
    /because its validation split has too few images \(20; at least 100 are needed\)\. Calibrate/,
  );
});

test('a split with too few images cannot calibrate', async () => {
  const small = new Uint8Array(20 * VALUES).map((_, i) => i);
  const { id } = (
    await upload(app, {
      classNames: 'up,down',
      train_images: npyBytes(small, [20, ...SHAPE]),
      train_labels: npyBytes(labels.slice(0, 20), [20]),
      testFraction: '0.3',
    })
  ).json<{ id: string }>();
  for (const [version, split, count] of [
    [VERSION, 'test', '6'],
    [VERSION, 'train', '14'],
    ['/v1/models/orphan/versions/1', 'train', '7, every second one of 14'],
  ] as const) {
    const { detail } = assertProblem(
      await calibrate(version, { dataset: id, split }),
      422,
      'impossible-request',
    );
    assert.ok(
      detail!.startsWith(`The split has too few images (${count}; at least 100 are needed).`),
      detail,
    );
  }
});

test('a version without validation images needs a request, which the error names', async () => {
  await publish('unheld', { training: { epochs: 1, batchSize: 8, validation: null } });
  const version = '/v1/models/unheld/versions/1';
  const { detail } = assertProblem(await app.inject(`${version}/calibration`), 409, 'not-calibrated');
  assert.match(detail!, /because its training held out no images\. Calibrate it with POST \S+\.$/);
  const response = await predictBytes(app, 'unheld', tested, '?coverage=0.9');
  assert.match(
    assertProblem(response, 409, 'not-calibrated').detail!,
    /POST \/v1\/models\/unheld\/versions\/1\/calibration/,
  );
  assert.equal((await calibrate(version)).json<Calibration>().warning, null);
  assert.equal((await predictBytes(app, 'unheld', tested, '?coverage=0.9')).statusCode, 200);
  const { id } = (await uploadImages(pixels, labels.toSorted())).json<{ id: string }>();
  const { warning } = (await calibrate(version, { dataset: id })).json<Calibration>();
  assert.match(warning!, /^All calibration images are of class down, /);
});

test('the card and the lab report show the calibration', async () => {
  const { lineage, calibration } = await show(VERSION);
  const { images, temperature } = calibration!;
  const card = (accept: string) => app.inject({ url: `${VERSION}/card`, headers: { accept } });
  const report = (accept: string) =>
    app.inject({
      url: `/v1/training-jobs/${lineage.jobId}/report?check=none&path=false`,
      headers: { accept },
    });
  const json = (await card('application/json')).json<ModelCard>();
  assert.deepEqual(json.version.calibration, calibration);
  assert.deepEqual((await report('application/json')).json<LabReport>().calibration, calibration);
  for (const document of [card, report]) {
    const { body } = await document('text/markdown');
    const [, section] = /\n## Calibration\n(.*?)(\n## |$)/s.exec(body) ?? assert.fail(body);
    assert.match(section!, new RegExp(`is calibrated on ${images} train images of data set`));
    assert.match(section!, new RegExp(`temperature ${temperature.toFixed(4).replace('.', '\\.')} `));
    assert.match(section!, /so the coverage of its sets of classes is approximate/);
  }
});

test('an import is calibrated on the test images that it has looked at, and on request without a data set', async () => {
  const file = await app.inject(`${VERSION}/export?format=safetensors`);
  const imported = await importFile(app, file.rawPayload, { name: 'imported', dataset });
  assert.equal(imported.statusCode, 201, imported.body);
  const version = '/v1/models/imported/versions/1';
  const { testSet } = await show(version);
  assert.equal((await predictBytes(app, 'imported', tested, '?coverage=0.9')).statusCode, 200);
  const { calibration, testSet: after } = await show(version);
  const { split, images, reused } = calibration!;
  assert.deepEqual([split, images, reused], ['test', TESTED, false]);
  assert.equal(after.looks.total, testSet.looks.total);
  assert.deepEqual((await calibrate(version)).json(), calibration);

  const unmeasured = '/v1/models/unmeasured/versions/1';
  assert.equal((await importFile(app, file.rawPayload, { name: 'unmeasured' })).statusCode, 201);
  const problem = assertProblem(await app.inject(`${unmeasured}/calibration`), 409, 'not-calibrated');
  assert.match(
    problem.detail!,
    /because it was imported without measuring test images\. Calibrate it with POST/,
  );
  assert.equal((await calibrate(unmeasured, { dataset })).statusCode, 200);
});

test('a copy has the calibration of the original, also after the original is deleted', async () => {
  const copy = await app.inject({
    method: 'POST',
    url: '/v1/models/copy/versions',
    payload: { from: 'plain@1' },
  });
  assert.deepEqual(copy.json<ModelVersion>().calibration, (await show(VERSION)).calibration);
  assert.equal((await app.inject({ method: 'DELETE', url: '/v1/models/plain' })).statusCode, 204);
  assert.equal((await predictBytes(app, 'copy', tested, '?coverage=0.9')).statusCode, 200);
});
