import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, test } from 'node:test';
import type { Evaluation } from '../../../../src/domain/checks/evaluation.ts';
import type { GradientCheck } from '../../../../src/domain/checks/gradient.ts';
import type { SgdPath } from '../../../../src/domain/checks/sgd-path.ts';
import type { LabReport } from '../../../../src/domain/reports/lab-report.ts';
import { npyBytes } from '../../../../src/formats/arrays/npy.ts';
import {
  assertProblem,
  cancelJob,
  queueJob,
  startService,
  tiny,
  train,
  untilJob,
} from '../../../support/start-service.ts';
import { upload } from '../../upload.ts';

const { app } = await startService({ after }, { TRAINING_WORKERS: '1' });
const get = (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers });
const urlOf = (id: string) => `/v1/training-jobs/${id}/report`;

async function reportOf(id: string, query = ''): Promise<LabReport> {
  const response = await get(urlOf(id) + query, { accept: 'application/json' });
  assert.equal(response.statusCode, 200, response.body);
  return response.json();
}
const omittedIn = ({ omitted }: LabReport) => omitted.map(({ section }) => section);

const ODD = `<script>alert(1)</script>'"; <img src=x onerror=alert(2)> $(touch /tmp/x) \`a\` | [x](javascript:1)`;
const names = [ODD, 'two', 'three'];
const images = npyBytes(
  Uint8Array.from({ length: 30 * 784 }, (_, n) => (n * 31) % 251),
  [30, 28, 28],
);
const labels = npyBytes(
  Uint8Array.from({ length: 30 }, (_, n) => n % 3),
  [30],
);
const uploaded = await upload(app, {
  name: ODD.slice(0, 64),
  classNames: JSON.stringify(names),
  train_images: images,
  train_labels: labels,
  test_images: images,
  test_labels: labels,
});
assert.equal(uploaded.statusCode, 201, uploaded.body);
const dataset = uploaded.json<{ id: string }>().id;
const body = tiny({
  dataset,
  modelName: 'reported',
  metadata: { [ODD.slice(0, 60)]: ODD },
  training: { epochs: 3, batchSize: 8, validation: { fraction: 0.3 } },
});
/** Epochs of 1,200 images, after which 14,800 are measured. */
const slow = { batchSize: 16, validation: { fraction: 0.8 } };
const job = await train(app, body);

test('the numbers equal the responses of the routes, in JSON and in HTML', async () => {
  const report = await reportOf(job.id, '?last=2');
  const json = async <T>(url: string) => (await get(url)).json<T>();
  const path = await json<SgdPath>(`/v1/training-jobs/${job.id}/path`);
  const evaluation = await json<Evaluation>('/v1/models/reported/versions/1/evaluation');
  const { durationMs: _, ...check } = (
    await app.inject({
      method: 'POST',
      url: '/v1/gradient-checks',
      payload: { dataset, network: job.network, seed: job.seed },
    })
  ).json<GradientCheck>();
  const { data: epochs } = await json<{ data: LabReport['epochs'] }>(`/v1/training-jobs/${job.id}/metrics`);
  const { testSet } = await json<Pick<LabReport, 'testSet'>>('/v1/models/reported/versions/1');
  assert.deepEqual(report.job, await json(`/v1/training-jobs/${job.id}`));
  assert.deepEqual(report.dataset, await json(`/v1/datasets/${dataset}`));
  assert.partialDeepStrictEqual(report.gradientCheck, check);
  assert.deepEqual(report.epochs, epochs.slice(-2));
  assert.deepEqual(report.evaluation, evaluation);
  assert.deepEqual(report.path, path);
  assert.deepEqual(report.testSet, testSet);
  assert.deepEqual(report.omitted, []);
  assert.deepEqual(
    report.examples.map(({ index, image }) => [index, image]),
    [0, 1, 2].map((index) => [index, `/v1/datasets/${dataset}/splits/train/images/${index}`]),
  );

  const { body: html } = await get(urlOf(job.id));
  const numbers = new Set(Array.from(html.matchAll(/<data value="([^"]+)"/g), ([, value]) => Number(value)));
  const shown = [
    evaluation.accuracy,
    evaluation.loss!,
    evaluation.accuracyInterval.low,
    ...evaluation.classes.flatMap(({ precision, recall, f1 }) => [precision, recall, f1]),
    check.error,
    ...check.blocks.map(({ relativeError }) => relativeError),
    ...epochs.flatMap(({ trainLoss, testLoss }) => [trainLoss, testLoss!]),
    ...path.explainedVariance,
    testSet!.intervalOfBest!.low,
  ];
  assert.deepEqual(
    shown.filter((number) => !numbers.has(number)),
    [],
  );
});

test('HTML is one page that loads and runs nothing, with any names and metadata', async () => {
  const { body: html, headers } = await get(urlOf(job.id));
  assert.equal(headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(headers['content-disposition'], `inline; filename="report-${job.id}.html"`);
  assert.match(
    String(headers['content-security-policy']),
    /^default-src 'none'; style-src 'sha256-[^']+'; .*frame-ancestors 'none'$/,
  );
  assert.match(html, /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; /);
  assert.match(html, /&lt;script>alert\(1\)&lt;\/script>/);
  assert.doesNotMatch(html, /<script|<img src=x|<(a|iframe|object|link rel="stylesheet") /i);
  const sources = Array.from(html.matchAll(/\s(?:src|href)="([^"]{0,30})/g), ([, source]) => source!);
  assert.ok(sources.length >= 4);
  assert.deepEqual(
    sources.filter((source) => !source.startsWith('data:')),
    [],
  );
  const again = await get(urlOf(job.id), { 'if-none-match': String(headers['etag']) });
  assert.deepEqual([again.statusCode, again.body], [304, '']);
});

test('Markdown links to the pictures of the service, or embeds them', async () => {
  const links = (await get(urlOf(job.id), { accept: 'text/markdown' })).body;
  const plots = ['loss', 'accuracy', 'learning-rate', 'dead-units', 'path'];
  for (const plot of plots) assert.ok(links.includes(`](/v1/training-jobs/${job.id}/plots/${plot})`), plot);
  for (const url of links.matchAll(/\]\((\/v1\/[^)]+)\)/g))
    assert.equal((await get(url[1]!)).statusCode, 200, url[1]);
  const embedded = (await get(`${urlOf(job.id)}?pictures=data`, { accept: 'text/markdown' })).body;
  assert.doesNotMatch(embedded, /\]\(\//);
  assert.match(embedded, /\]\(data:image\/svg\+xml;base64,.*\]\(data:image\/png;base64,/s);
  assert.match(links, /, `dst_\w+`, with the digest `sha256:/);
  const outsideCode = links.replaceAll(/```.*?```/gs, '');
  assert.doesNotMatch(outsideCode, /(?<!\\)<(script|img)|(?<!\\)\[x/);
});

test('the command to repeat the training sends the same request, with any content', async () => {
  const { reproduce } = await reportOf(job.id, '?path=false');
  const shell = `curl() { printf '%s\\0' "$@"; }; ATELIER=http://127.0.0.1; ${reproduce.repeat}`;
  const args = execFileSync('sh', ['-c', shell], { encoding: 'utf8' }).split('\0');
  assert.ok(args.includes('http://127.0.0.1/v1/training-jobs'));
  assert.deepEqual(JSON.parse(args[args.indexOf('-d') + 1]!), job.receipt!.request);
  assert.match(reproduce.verify!, new RegExp(`-X POST "\\$ATELIER/v1/training-jobs/${job.id}/verify"$`));
});

test('each block of commands sets the address of the request before it is used', async () => {
  const query = `${urlOf(job.id)}?check=none&path=false`;
  const headers = { accept: 'text/markdown', host: 'localhost:3456' };
  const blocks = Array.from(
    (await get(query, headers)).body.matchAll(/```sh\n(.*?)\n```/gs),
    ([, commands]) => commands!,
  );
  assert.equal(blocks.length, 3);
  for (const commands of blocks)
    assert.match(commands, /^ATELIER=http:\/\/localhost:3456\ncurl .*"\$ATELIER\//);
});

test('a job that never measures the test split is evaluated only after its result was revealed', async () => {
  const { id } = await train(app, { ...body, modelName: 'honest', testSet: 'never', seed: 1 });
  const first = await reportOf(id, '?path=false&check=none');
  assert.equal(first.evaluation, null);
  assert.match(
    first.summary,
    /of its validation images correctly; it was not evaluated on the test images for this report\.$/,
  );
  assert.deepEqual(omittedIn(first), ['evaluation', 'gradient-check', 'path']);
  assert.equal(
    first.omitted[0]!.curl,
    'curl -sS --fail-with-body "$ATELIER/v1/models/honest/versions/1/evaluation"',
  );
  const before = first.testSet!.looks.total;
  const evaluation = (await get('/v1/models/honest/versions/1/evaluation')).json<Evaluation>();
  const second = await reportOf(id, '?path=false&check=none');
  assert.deepEqual(second.evaluation, evaluation);
  assert.equal(second.testSet!.looks.total, before + 1);
});

test('the test result of a job that is measured once stands below its epochs', async () => {
  const { id } = await train(app, { ...body, modelName: 'once', testSet: 'once' });
  const markdown = async (id: string) =>
    (await get(`${urlOf(id)}?path=false&check=none`, { accept: 'text/markdown' })).body.replaceAll('\\', '');
  const { loss, accuracy } = (await reportOf(id, '?path=false&check=none')).evaluation!;
  const text = await markdown(id);
  const result = `test cross-entropy ${loss!.toFixed(4)}, test accuracy ${accuracy.toFixed(4)}.`;
  assert.ok(text.includes(`only the published parameters: ${result}`), text);
  assert.doesNotMatch(text, /\| test cross-entropy \|/);
  assert.match(await markdown(job.id), /\| test cross-entropy \| test accuracy \|/);
});

test('a job has no report before its end, and the report of a cancelled job has the existing parts', async () => {
  const { id } = await queueJob(app, tiny({ modelName: 'endless', training: { ...slow, epochs: 10_000 } }));
  await untilJob(app, id, ({ latest }) => latest !== null);
  const { detail } = assertProblem(await get(urlOf(id)), 409, 'illegal-transition', 'id');
  assert.match(detail, /is running\. Only ended jobs have a report\. Wait for its end: GET /);
  await cancelJob(app, id);
  await untilJob(app, id, ({ finishedAt }) => finishedAt !== null);
  const report = await reportOf(id);
  assert.deepEqual(omittedIn(report), ['evaluation', 'path', 'test-set', 'weights']);
  assert.match(report.summary, /was cancelled after \d+ of \d+ steps\.$/);
  assert.ok(report.gradientCheck!.passed && report.epochs.length > 0 && report.reproduce.verify === null);
  const { body: html } = await get(urlOf(id));
  assert.match(html, /Left out: The job was cancelled, so it published no version\./);
  assertProblem(await get(`${urlOf(id)}?last=0`), 400, 'invalid-request', 'last');
  const tooMany = assertProblem(await get(`${urlOf(id)}?last=101`), 400, 'invalid-request', 'last');
  assert.match(tooMany.detail, /\b100\b/);
  assertProblem(await get(`${urlOf(id)}?check=complex`), 400, 'invalid-request', 'check');
});
