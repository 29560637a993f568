import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import sharp from 'sharp';
import type { Evaluation } from '../../../src/domain/checks/evaluation.ts';
import type { SgdPath } from '../../../src/domain/checks/sgd-path.ts';
import { JOB_PLOTS, VERSION_PLOTS } from '../../../src/domain/reports/plots.ts';
import {
  assertProblem,
  cancelJob,
  endless,
  queueJob,
  startService,
  tiny,
  train,
  untilJob,
} from '../../support/start-service.ts';

const { app } = await startService(
  { after },
  { CORS_ORIGINS: 'http://localhost:8888', TRAINING_WORKERS: '1' },
);
const training = { epochs: 3, batchSize: 1024, validation: { fraction: 0.8 } };
const job = await train(app, tiny({ modelName: 'plotted', training }));
const shallow = await train(app, tiny({ modelName: 'shallow', network: { hidden: [] } }));
const JOB = `/v1/training-jobs/${job.id}/plots`;
const VERSION = '/v1/models/plotted/versions/1/plots';
const get = (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers });

const sizeOf = async (png: Buffer) => {
  const { format, width, height } = await sharp(png).metadata();
  return [format, width, height];
};
/** The numbers that a plot shows. */
const numbersOf = (svg: string) => Array.from(svg.matchAll(/>([\d.,]+)<\/text>/g), ([, number]) => number!);

test('every plot is an SVG by default, and a PNG by Accept or format, and format takes precedence', async () => {
  for (const url of [
    ...JOB_PLOTS.map((plot) => `${JOB}/${plot}`),
    ...VERSION_PLOTS.map((plot) => `${VERSION}/${plot}`),
  ]) {
    const svg = await get(url);
    assert.equal(svg.statusCode, 200, svg.body);
    assert.equal(svg.headers['content-type'], 'image/svg+xml');
    assert.match(svg.body, /^<svg .*<\/svg>$/);
    const png = await get(url, { accept: 'image/png' });
    assert.equal(png.headers['content-type'], 'image/png');
    assert.equal((await sizeOf(png.rawPayload))[0], 'png');
  }
  // As a browser asks for an <img>, and for a page.
  for (const accept of [
    'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8',
    'text/html,*/*;q=0.8',
  ]) {
    assert.equal((await get(`${JOB}/loss`, { accept })).headers['content-type'], 'image/svg+xml', accept);
  }
  const chosen = await get(`${JOB}/loss?format=png`, { accept: 'image/svg+xml' });
  assert.equal(chosen.headers['content-type'], 'image/png');
  assert.equal(chosen.headers['content-disposition'], `inline; filename="loss-${job.id}.png"`);
  assertProblem(await get(`${JOB}/loss`, { accept: 'text/html' }), 406, 'not-acceptable');
});

test('size, density, theme, scale and last epochs are options', async () => {
  const png = await get(`${JOB}/loss?format=png&width=300&height=200&density=3`);
  assert.deepEqual(await sizeOf(png.rawPayload), ['png', 900, 600]);
  const dark = await get(`${JOB}/accuracy?width=1000&theme=dark`);
  assert.match(
    dark.body,
    /^<svg [^>]*width="1000" height="400".*<rect width="1000" height="400" fill="#15181d">/,
  );
  const [all, last] = [await get(`${JOB}/loss`), await get(`${JOB}/loss?last=1`)];
  assert.match(all.body, />1<\/text>.*>3<\/text>.*>Epoch</);
  assert.match(all.body, />The test line represents 3 looks at the test set\.</);
  assert.match(
    last.body,
    /Training: [\d.]+ after one epoch\..*>3<\/text>.*>Epoch<.*>The test line represents 3 looks/,
  );
  assert.notEqual((await get(`${JOB}/loss?scale=log`)).body, all.body);
});

test('the plot of an ended job is immutable and the same bytes, and other origins may embed it', async () => {
  for (const url of [`${JOB}/loss`, `${JOB}/loss?format=png`, `${VERSION}/confusion?format=png`]) {
    const [first, second] = [await get(url), await get(url)];
    assert.deepEqual(first.rawPayload, second.rawPayload);
    assert.equal(first.headers['cache-control'], 'private, max-age=31536000, immutable');
    assert.equal(first.headers['cross-origin-resource-policy'], 'cross-origin');
    const again = await get(url, { 'if-none-match': String(first.headers['etag']) });
    assert.deepEqual([again.statusCode, again.body], [304, '']);
  }
  assert.equal((await get('/v1/training-jobs')).headers['cross-origin-resource-policy'], 'same-origin');
});

test('the plot of a job that has not ended is checked again, and its tag changes with each epoch', async () => {
  const { id } = await queueJob(app, { ...endless, modelName: 'endless' });
  const url = `/v1/training-jobs/${id}/plots/loss`;
  const { detail } = assertProblem(await get(url), 422, 'impossible-request', 'id');
  assert.match(detail, /has not completed an epoch\. Try again/);
  const { latest } = await untilJob(app, id, (each) => each.latest !== null);
  const first = await get(url);
  assert.equal(first.headers['cache-control'], 'private, no-cache');
  assert.equal((await get(`${JOB}/loss?with=${id}`)).headers['cache-control'], 'private, no-cache');
  // The first plot may hold one epoch more than was seen before.
  await untilJob(app, id, (each) => each.latest!.epoch > latest!.epoch + 1);
  assert.notEqual((await get(url)).headers['etag'], first.headers['etag']);
  await cancelJob(app, id);
});

test('other jobs are overlaid, named by the options in which they differ', async () => {
  const { body } = await get(`${JOB}/accuracy?with=${shallow.id},${job.id},${shallow.id}`);
  assert.match(body, />2 training jobs</);
  assert.match(body, />Accuracy by epoch, validation images</);
  assert.match(body, />hidden 4, epochs 3: [\d.]+ %<.*>hidden none, epochs 1: [\d.]+ %</);
});

test('the numbers equal the evaluation, and the plot of an alias is checked again', async () => {
  const { body, headers } = await get('/v1/models/plotted/versions/champion/plots/confusion?split=test');
  assert.equal(headers['cache-control'], 'private, no-cache');
  assert.equal(headers['content-disposition'], 'inline; filename="confusion-plotted-1.svg"');
  const evaluation: Evaluation = (await get('/v1/models/plotted/versions/1/evaluation')).json();
  const counts = evaluation.confusionMatrix!.flat().filter((count) => count > 0);
  assert.deepEqual(numbersOf(body).map(Number).sort(), counts.sort());
  const classes = await get(`${VERSION}/classes`);
  assert.ok(numbersOf(classes.body).includes((100 * evaluation.classes[0]!.recall).toFixed(1)));
});

for (const [url, status, code, place, words] of [
  [
    '/v1/training-jobs/job_01ARZ3NDEKTSV4RRFFQ69G5FAV/plots/loss',
    404,
    'training-job-not-found',
    undefined,
    /does not exist/,
  ],
  [`${JOB}/losses`, 400, 'invalid-request', 'plot', /loss/],
  [`${JOB}/loss?width=239`, 400, 'invalid-request', 'width', /from 240 to 2000/],
  [`${JOB}/loss?theme=blue`, 400, 'invalid-request', 'theme', /light/],
  [`${JOB}/loss?with=plotted`, 400, 'invalid-request', 'with', /at most 7 ids/],
  [`${JOB}/loss?with=${Array(8).fill(shallow.id)}`, 400, 'invalid-request', 'with', /at most 7 ids/],
  [`${JOB}/loss?with=job_01ARZ3NDEKTSV4RRFFQ69G5FAV`, 422, 'impossible-request', 'with', /does not exist/],
  [`${JOB}/dead-units?with=${shallow.id}`, 422, 'impossible-request', undefined, /no hidden layers/],
  [
    `${JOB}/loss?format=png&width=2000&height=1600&density=3`,
    422,
    'impossible-request',
    'density',
    /at most 16,000,000/,
  ],
  [`${VERSION}/confusion?scale=log`, 400, 'invalid-request', 'scale', /split/],
  [`${VERSION}/confusion?dataset=none`, 422, 'unknown-dataset', 'dataset', /none does not exist/],
  ['/v1/models/none/versions/1/plots/confusion', 404, 'model-not-found', undefined, /none does not exist/],
] as const) {
  test(`${url.replaceAll(/job_\w+/g, 'job_…')} is rejected with ${status}`, async () => {
    const { detail, errors } = assertProblem(await get(url), status, code, place);
    assert.match(`${detail} ${JSON.stringify(errors)}`, words);
  });
}

test('the plot of a path shows its losses and its variances', async () => {
  const query = '?snapshots=5&grid=5&examples=60';
  const path = (await get(`/v1/training-jobs/${job.id}/path${query}`)).json<SgdPath>();
  const svg = await get(`${JOB}/path${query}`);
  assert.equal(svg.statusCode, 200, svg.body);
  assert.match(String(svg.headers['cache-control']), /immutable/);
  for (const { loss, planeLoss } of [path.points[0]!, path.points.at(-1)!]) {
    for (const value of [loss, planeLoss])
      assert.ok(svg.body.includes(String(Number(value.toPrecision(3)))), `${value} in ${svg.body}`);
  }
  const png = await get(`${JOB}/path${query}&format=png&width=300`);
  assert.deepEqual(await sizeOf(png.rawPayload), ['png', 300, 480]);
  assertProblem(await get(`${JOB}/path?scale=log`), 400, 'invalid-request', 'scale');
  const { id } = await queueJob(app, endless);
  assertProblem(await get(`/v1/training-jobs/${id}/plots/path`), 422, 'impossible-request');
  await cancelJob(app, id);
});
