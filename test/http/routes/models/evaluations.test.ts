import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { parse } from 'yaml';
import {
  comparisonSchema,
  type Evaluation,
  evaluationSchema,
  type ModelComparison,
} from '../../../../src/domain/checks/evaluation.ts';
import { type ModelCard, modelCardSchema } from '../../../../src/domain/reports/model-card.ts';
import type { Predictions } from '../../../../src/protocols/native/schema.ts';
import { assertProblem, startService, testImage, tiny, train } from '../../../support/start-service.ts';

const { app } = await startService({ after });
const training = { epochs: 1, batchSize: 64, validation: { fraction: 0.1 } };
const jobs = [
  await train(app, tiny({ modelName: 'measured', training })),
  await train(app, tiny({ modelName: 'measured', training, seed: 1 })),
];
const VERSION = '/v1/models/measured/versions';
const get = (path: string, headers: Record<string, string> = {}) =>
  app.inject({ url: `${VERSION}/${path}`, headers });

async function evaluate(path: string): Promise<Evaluation> {
  const response = await get(path);
  assert.equal(response.statusCode, 200, response.body);
  assert.deepEqual(evaluationSchema.strict().parse(response.json()), response.json());
  return response.json();
}

async function compare(path: string): Promise<ModelComparison> {
  const response = await get(path);
  assert.equal(response.statusCode, 200, response.body);
  assert.deepEqual(comparisonSchema.strict().parse(response.json()), response.json());
  return response.json();
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

test('an evaluation of the test split equals the figures of the training', async () => {
  for (const [index, job] of jobs.entries()) {
    const { model, dataset, split, examples, accuracy, loss } = await evaluate(`${index + 1}/evaluation`);
    assert.deepEqual(model, { name: 'measured', version: index + 1 });
    assert.deepEqual([dataset, split, examples], ['fashion-mnist', 'test', 1000]);
    assert.equal(accuracy, job.latest!.testAccuracy);
    assert.ok(Math.abs(loss! - job.latest!.testLoss!) < 1e-5 * loss!, `${loss}`);
  }
});

test('lists the images of a cell of the confusion matrix, and of no other', async () => {
  const { confusionMatrix, mistakes, images } = await evaluate('1/evaluation');
  assert.equal(images, undefined);
  const { label, predicted, index } = mistakes[0]!;
  const cell = (await evaluate(`1/evaluation?label=${label}&predicted=${predicted}`)).images!;
  assert.equal(cell.length, Math.min(100, confusionMatrix![label]![predicted]!));
  assert.equal(cell[0]!.index, index, 'the most confident mistake is the first of its cell');
  assert.ok(cell.every((image) => image.label === label && image.predicted === predicted));
  const correct = (await evaluate('1/evaluation?label=9&predicted=9')).images!;
  assert.equal(correct.length, Math.min(100, confusionMatrix![9]![9]!));
});

test('matrix, classes and bins count every image once', async () => {
  const { confusionMatrix, classes, calibration, accuracy, accuracyInterval } =
    await evaluate('1/evaluation');
  assert.deepEqual(confusionMatrix!.map(sum), new Array(10).fill(100));
  assert.equal(sum(confusionMatrix!.map((row, label) => row[label]!)) / 1000, accuracy);
  assert.deepEqual(
    classes.map(({ label, support }) => [label, support]),
    Array.from({ length: 10 }, (_, label) => [label, 100]),
  );
  assert.equal(sum(calibration.bins.map(({ count }) => count)), 1000);
  assert.ok(accuracyInterval.low < accuracy && accuracy < accuracyInterval.high);
});

test('a mistake links to its image, for which the model gives that prediction', async () => {
  const { mistakes } = await evaluate('2/evaluation');
  assert.equal(mistakes.length, 20);
  const { image, index, label, className, predicted, predictedClassName, probability } = mistakes[0]!;
  assert.equal(image, `/v1/datasets/fashion-mnist/splits/test/images/${index}`);
  const picture = await app.inject(image);
  assert.equal(picture.headers['content-type'], 'image/png');
  assert.deepEqual([picture.headers['x-label'], picture.headers['x-class-name']], [`${label}`, className]);
  const response = await app.inject({
    method: 'POST',
    url: `${VERSION}/2/predictions`,
    headers: { 'content-type': 'image/png' },
    payload: picture.rawPayload,
  });
  const [prediction] = response.json<Predictions>().predictions;
  assert.deepEqual([prediction!.label, prediction!.className], [predicted, predictedClassName]);
  assert.ok(Math.abs(prediction!.probability - probability) < 1e-6);
});

test('the training split can be evaluated', async () => {
  const { split, examples, mistakes } = await evaluate('1/evaluation?split=train');
  assert.deepEqual([split, examples], ['train', 6000]);
  assert.ok(mistakes.every(({ image }) => image.includes('/splits/train/images/')));
});

test('a repeated request gets 304 by its ETag', async () => {
  const { headers } = await get('1/evaluation');
  const again = await get('1/evaluation', { 'if-none-match': String(headers['etag']) });
  assert.deepEqual([again.statusCode, again.body], [304, '']);
  const other = await get('2/evaluation', { 'if-none-match': String(headers['etag']) });
  assert.equal(other.statusCode, 200);
});

test('HEAD has the headers of GET', async () => {
  const response = await app.inject({ method: 'HEAD', url: `${VERSION}/1/evaluation` });
  assert.deepEqual([response.statusCode, response.body], [200, '']);
  assert.equal(response.headers['etag'], (await get('1/evaluation')).headers['etag']);
});

test('a comparison counts images that both, one and neither classify correctly, and lists differences', async () => {
  const [one, two] = [await evaluate('1/evaluation'), await evaluate('2/evaluation')];
  const found = await compare('1/comparison?with=measured@2');
  assert.deepEqual([found.model.version, found.other.version, found.split], [1, 2, 'test']);
  assert.deepEqual(
    [found.accuracy.model, found.accuracy.other, sum(Object.values(found.counts))],
    [one.accuracy, two.accuracy, 1000],
  );
  assert.deepEqual(
    found.classes.map(({ model, other }) => [model, other]),
    one.classes.map(({ recall }, label) => [recall, two.classes[label]!.recall]),
  );
  const { total, images } = found.differences;
  assert.ok(total >= found.counts.n01 + found.counts.n10);
  assert.equal(images.length, Math.min(total, 100));
  const { image, index, model, other } = images[0]!;
  assert.equal(image, `/v1/datasets/fashion-mnist/splits/test/images/${index}`);
  const labels = [];
  for (const version of [1, 2]) {
    const response = await app.inject({
      method: 'POST',
      url: `${VERSION}/${version}/predictions`,
      headers: { 'content-type': 'application/octet-stream' },
      payload: await testImage(app, index),
    });
    labels.push(response.json<Predictions>().predictions[0]!.label);
  }
  assert.deepEqual([model.label, other.label], labels);
});

test('swapping the models changes signs only', async () => {
  const [there, back] = [
    await compare('1/comparison?with=measured@2'),
    await compare('2/comparison?with=measured@1'),
  ];
  assert.equal(back.accuracy.change, -there.accuracy.change);
  assert.equal(back.mcnemar.pValue, there.mcnemar.pValue);
  assert.equal(back.differences.total, there.differences.total);
});

test('a version does not differ from itself, and a name alone means the champion', async () => {
  const { mcnemar, differences, other } = await compare('1/comparison?with=measured');
  assert.deepEqual([other.version, mcnemar.pValue, differences], [1, 1, { total: 0, images: [] }]);
});

for (const [path, status, code, place] of [
  ['3/evaluation', 404, 'model-not-found'],
  ['1/evaluation?split=val', 400, 'invalid-request', 'split'],
  ['1/evaluation?split=validation', 422, 'impossible-request', 'split'],
  ['1/evaluation?dataset=cifar', 422, 'unknown-dataset', 'dataset'],
  ['1/evaluation?label=1', 400, 'invalid-request', 'predicted'],
  ['1/evaluation?label=1000&predicted=1', 400, 'invalid-request', 'label'],
  ['1/evaluation?label=1&predicted=10', 422, 'impossible-request', 'predicted'],
  ['1/comparison', 400, 'invalid-request', 'with'],
  ['1/comparison?with=Measured!2', 400, 'invalid-request', 'with'],
  ['1/comparison?with=measured@7', 422, 'unknown-model', 'with'],
  ['1/comparison?with=other', 422, 'unknown-model', 'with'],
] as const) {
  test(`rejects ${path}: ${status} ${code}`, async () => {
    assertProblem(await get(path), status, code, place);
  });
}

test('looks are counted for the data set and its versions, and change no state', async () => {
  const DATASET = '/v1/datasets/fashion-mnist';
  const read = async (url: string, headers = {}) => app.inject({ url, headers });
  const total = async (): Promise<number> => (await read(DATASET)).json().splits.test.looks;
  const before = await total();
  const never = await train(app, tiny({ modelName: 'unseen', training, seed: 8, testSet: 'never' }));
  const once = await train(app, tiny({ modelName: 'unseen', training, seed: 9, testSet: 'once' }));
  assert.equal(await total(), before + 1);

  const [first, second] = [never, once].map(({ model }) => `/v1/models/unseen/versions/${model!.version}`);
  const { headers, ...shown } = await read(first!);
  const unseen = { total: before + 1, before, lineage: 0 };
  assert.deepEqual(JSON.parse(shown.payload).testSet, {
    looks: unseen,
    chosenBy: 'validation',
    interval: null,
    intervalOfBest: null,
  });
  const { testSet, testAccuracy } = (await read(second!)).json();
  assert.deepEqual([testSet.looks.lineage, testSet.chosenBy], [1, 'validation']);
  assert.ok(testSet.intervalOfBest.low < testSet.interval.low && testSet.interval.low < testAccuracy);
  assert.equal(testSet.intervalOfBest.looks, before + 1);
  assert.equal((await read(`${VERSION}/1`)).json().testSet.chosenBy, 'unknown');

  const tag = headers.etag!;
  assert.equal((await read(first!, { 'if-none-match': tag })).statusCode, 304);
  for (const path of ['evaluation', 'evaluation?split=train', `comparison?with=measured@1`, 'evaluation']) {
    assert.equal((await read(`${first}/${path}`)).statusCode, 200);
  }
  assert.equal(await total(), before + 2);
  const after = await read(first!, { 'if-none-match': tag });
  assert.deepEqual([after.statusCode, after.json().testSet.looks.lineage], [200, 1]);
  // What was counted meanwhile does not prevent a change.
  const payload = { tags: ['seen'] };
  const patch = () => app.inject({ method: 'PATCH', url: first!, payload, headers: { 'if-match': tag } });
  const changed = await patch();
  assert.deepEqual([changed.statusCode, changed.json().testSet], [200, after.json().testSet]);
  assertProblem(await patch(), 412, 'precondition-failed');

  const warmStart = `unseen@${once.model!.version}` as const;
  const later = await train(app, tiny({ modelName: 'later', training, testSet: 'never', warmStart }));
  const choice = async () => (await read(`/v1/models/later/versions/${later.model!.version}`)).json().testSet;
  const started = await choice();
  assert.deepEqual([started.looks.lineage, started.chosenBy], [1, 'unknown']);
  assert.equal((await app.inject({ method: 'DELETE', url: second! })).statusCode, 204);
  const orphaned = await choice();
  assert.deepEqual([orphaned.looks.lineage, orphaned.chosenBy], [0, 'unknown'], 'its lineage is not known');
});

test('a card has the figures of the evaluation, as Markdown or JSON, and is not a look', async () => {
  const response = await get('1/card');
  assert.equal(response.headers['content-type'], 'text/markdown; charset=utf-8');
  const { accuracy, classes } = await evaluate('1/evaluation');
  const [, head, body] = /^---\n(.*?)---\n(.*)$/s.exec(response.body)!;
  const [result] = parse(head!)['model-index'][0].results;
  assert.deepEqual([result.metrics[0].type, result.metrics[0].value], ['accuracy', accuracy]);
  for (const { className, recall } of classes) {
    const row = body!
      .split('\n')
      .find((line) => /^\| \S+( \S+)? \| \d\./.test(line) && line.startsWith(`| ${className} |`));
    assert.equal(row?.split(' | ')[2], recall.toFixed(4), className);
  }
  const tag = String(response.headers['etag']);
  assert.equal((await get('1/card', { 'if-none-match': tag })).statusCode, 304);
  const json = (await get('1/card', { accept: 'application/json' })).json<ModelCard>();
  assert.deepEqual(modelCardSchema.strict().parse(json), json);
  assert.deepEqual(json.evaluation, await evaluate('1/evaluation'));
  assert.equal(json.receipt!.digest, json.version.digest);
  const weakest = classes.reduce((lowest, each) => (each.recall < lowest.recall ? each : lowest));
  assert.ok(
    json.limitations[2]!.startsWith(`Of the images of class ${weakest.className}, `),
    json.limitations[2],
  );
  assertProblem(await get('1/card', { accept: 'image/png' }), 406, 'not-acceptable');

  const DATASET = '/v1/datasets/fashion-mnist';
  const looks = async () => (await app.inject(DATASET)).json().splits.test.looks;
  const { model } = await train(app, tiny({ modelName: 'card', training, seed: 10, testSet: 'never' }));
  const before = await looks();
  const unseen = `/v1/models/card/versions/${model!.version}/card`;
  const { evaluation, notEvaluated } = (
    await app.inject({ url: unseen, headers: { accept: 'application/json' } })
  ).json();
  assert.equal(evaluation, null);
  assert.match(notEvaluated, /a card never reveals the first one/);
  assert.match((await app.inject(unseen)).body, /`GET \/v1\/models\/card\/versions\/1\/evaluation`/);
  assert.equal(await looks(), before);
});
