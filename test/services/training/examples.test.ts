import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Evaluation } from '../../../src/domain/checks/evaluation.ts';
import type { TrainingPreview } from '../../../src/domain/jobs/preview.ts';
import { npyBytes } from '../../../src/formats/arrays/npy.ts';
import { type Split, splitByClass } from '../../../src/numerics/examples/batches.ts';
import { upload } from '../../http/upload.ts';
import { shapedImages } from '../../support/shaped-images.ts';
import { assertProblem, hasEnded, startService, tiny, train, untilJob } from '../../support/start-service.ts';

const { app } = await startService({ after });

const SHAPE = [8, 8] as const;
const SEED = 5;
/** Images that a training learns from, then test images. */
const [LEARNING, TESTED] = [600, 40];
const pixels = shapedImages(SHAPE, LEARNING + TESTED);
const labels = Uint8Array.from({ length: LEARNING + TESTED }, (_, n) => n % 2);

/** The arrays of the images of the given indices. */
function arrays(split: string, indices: Uint32Array) {
  const chosen = new Uint8Array(indices.length * 64);
  for (const [to, from] of indices.entries())
    chosen.set(pixels.subarray(from * 64, (from + 1) * 64), to * 64);
  const ofLabels = Uint8Array.from(indices, (n) => labels[n]!);
  return {
    [`${split}_images`]: npyBytes(chosen, [indices.length, ...SHAPE]),
    [`${split}_labels`]: npyBytes(ofLabels, [indices.length]),
  };
}

const all = Uint32Array.from(labels.keys());
const held: Split = splitByClass(labels.subarray(0, LEARNING), 0.25, SEED);
const test40 = arrays('test', all.subarray(LEARNING));

async function uploadArrays(parts: object): Promise<string> {
  const response = await upload(app, { ...parts, ...test40 });
  assert.equal(response.statusCode, 201, response.body);
  return response.json().id;
}
const whole = await uploadArrays(arrays('train', all.subarray(0, LEARNING)));
const split = await uploadArrays({ ...arrays('train', held.train), ...arrays('val', held.validation) });

/** Everything that depends on positions, statistics or the choice of the epoch. */
const training = {
  ...{ epochs: 12, batchSize: 32, dropout: 0.2, standardize: true },
  optimizer: { type: 'adam', learningRate: 0.02 },
  ...{ augmentation: { shift: 1 }, mixup: {}, classWeights: 'balanced' as const },
  earlyStopping: { patience: 1, minDelta: 0.05 },
} as const;
const body = (dataset: string, changes: object, modelName = 'm') =>
  tiny({ dataset, modelName, seed: SEED, training: { ...training, ...changes } });

test('a training on a validation split equals one that holds out the same images, bit for bit', async () => {
  const drawn = await train(app, body(whole, { validation: { fraction: 0.25 } }));
  const given = await train(app, body(split, {}, 'split'));
  assert.deepEqual(given.training.validation, { split: true });
  assert.equal(given.stoppedAt!.reason, 'early-stopping');
  assert.deepEqual([given.digest, given.stoppedAt], [drawn.digest, drawn.stoppedAt]);
  const figures = ({ best }: typeof given) => [best!.epoch, best!.validationLoss, best!.validationAccuracy];
  assert.deepEqual(figures(given), figures(drawn));
  const verified = await app.inject({ method: 'POST', url: `/v1/training-jobs/${given.id}/verify` });
  assert.equal((await untilJob(app, verified.json().id, hasEnded)).verification!.agrees, true);
});

async function counted(dataset: string, changes: object) {
  const payload = body(dataset, { earlyStopping: null, ...changes });
  const response = await app.inject({ method: 'POST', url: '/v1/training-jobs/preview', payload });
  assert.equal(response.statusCode, 200, response.body);
  const { data, request } = response.json<TrainingPreview>();
  return [data.train, data.validation, request.training.validation];
}

test('a validation split is trained on only on request', async () => {
  for (const validation of [{}, { split: true }])
    assert.deepEqual(await counted(split, { validation }), [450, 150, { split: true }]);
  assert.deepEqual(await counted(split, { validation: { split: false } }), [404, 46, { fraction: 0.1 }]);
  assert.deepEqual(await counted(split, { validation: { fraction: 0.2 } }), [360, 90, { fraction: 0.2 }]);
  assert.deepEqual(await counted(split, { validation: null }), [450, 0, null]);
  const trainOnValidation = true;
  assert.deepEqual(await counted(split, { validation: null, trainOnValidation }), [600, 0, null]);
  assert.deepEqual(await counted(split, { trainOnValidation }), [540, 60, { fraction: 0.1 }]);
  assert.deepEqual(await counted(whole, {}), [540, 60, { fraction: 0.1 }]);
});

test('rejects options that need a validation split, or exclude each other', async () => {
  for (const [dataset, changes, field] of [
    [whole, { validation: { split: true } }, 'validation/split'],
    [whole, { trainOnValidation: true }, 'trainOnValidation'],
    [split, { validation: { split: true }, trainOnValidation: true }, 'validation/split'],
  ] as const) {
    const payload = body(dataset, changes);
    const response = await app.inject({ method: 'POST', url: '/v1/training-jobs', payload });
    assertProblem(response, 422, 'impossible-request', `#/training/${field}`);
  }
});

test('the validation split is measured without a look, and calibrates what was not trained on it', async () => {
  await train(app, body(split, { validation: null, earlyStopping: null }, 'untouched'));
  const everything = { validation: null, trainOnValidation: true, earlyStopping: null };
  await train(app, body(split, everything, 'everything'));
  const looks = async () => (await app.inject(`/v1/datasets/${split}`)).json().splits.test.looks;
  const before = await looks();
  const get = async <T>(path: string) => (await app.inject(`/v1/models/${path}`)).json<T>();
  const evaluated = await get<Evaluation>('split/versions/1/evaluation?split=validation');
  assert.deepEqual([evaluated.split, evaluated.examples], ['validation', 150]);
  for (const [name, reused] of [
    ['split', true],
    ['untouched', false],
  ] as const) {
    const calibration = await get<object>(`${name}/versions/1/calibration`);
    const { images, trainingImages, ...found } = calibration as Record<string, unknown>;
    assert.deepEqual([images, trainingImages, found['reused']], [150, 450, reused]);
    const covered = await get<{ reused: boolean }>(`${name}/versions/1/evaluation/coverage?split=validation`);
    assert.equal(covered.reused, true);
  }
  const url = '/v1/models/everything/versions/1/calibration';
  assertProblem(await app.inject(url), 409, 'not-calibrated');
  const requested = await app.inject({ method: 'POST', url, payload: { split: 'validation' } });
  assert.deepEqual([requested.json().images, requested.json().reused], [150, true]);
  const payload = { model: 'split@1', dataset: split, split: 'validation' };
  const predicted = await app.inject({ method: 'POST', url: '/v1/prediction-jobs', payload });
  assert.equal(predicted.json().images, 150, predicted.body);
  assert.equal(await looks(), before);
  const other = await app.inject({
    method: 'POST',
    url: '/v1/prediction-jobs',
    payload: { ...payload, dataset: whole },
  });
  assertProblem(other, 422, 'impossible-request', '#/split');
  const wanted = { method: 'POST', url, payload: { dataset: whole, split: 'validation' } } as const;
  assertProblem(await app.inject(wanted), 422, 'impossible-request', '#/split');
});

test('trainings that hold out different images are compared on the validation split that neither used', async () => {
  const payload = body(split, { validation: { fraction: 0.2 } }, 'split');
  const job = await train(app, { ...payload, publish: { promote: 'if-better', evenIfNotLearned: true } });
  assert.equal(job.publication!.comparison!.examples, 150, job.publication!.reason);
});

test('the final training of a search has the validation split as well', async () => {
  const vary = [{ path: '/training/optimizer/learningRate', choices: [0.01, 0.02] }];
  const options = { epochs: 1, batchSize: 50 };
  const url = '/v1/searches';
  const search = { dataset: split, modelName: 'searched', training: options, vary };
  const created = await app.inject({ method: 'POST', url, payload: search });
  assert.equal(created.json().validationImages, 150, created.body);
  const shown = `${url}/${created.json().id}`;
  // The stream ends with the search.
  await app.inject({ url: `${shown}/events`, headers: { accept: 'text/event-stream' } });
  const found = (await app.inject(shown)).json();
  const final = await untilJob(app, found.finalJob, hasEnded);
  assert.deepEqual([final.training.validation, final.training.trainOnValidation], [null, true]);
  assert.equal(final.progress.steps, 12);
});

test('an export has the validation split, and uploaded again it is the same data set', async () => {
  const exported = await app.inject(`/v1/datasets/${split}/export`);
  const again = await upload(app, { file: exported.rawPayload });
  assert.deepEqual([again.statusCode, again.json().id], [200, split]);
  const { splits, report } = again.json();
  assert.deepEqual(splits.validation, { examples: 150, examplesPerClass: [75, 75] });
  assert.equal(report.duplicates.validation.images, report.duplicates.validation.first.length);
  const image = await app.inject(`/v1/datasets/${split}/splits/validation/images?offset=149`);
  assert.equal(image.rawPayload.length, npyBytes(new Uint8Array(64), [1, 8, 8]).length);
});
