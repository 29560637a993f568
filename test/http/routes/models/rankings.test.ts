/** Threshold curves and measured coverage of versions. Areas: test/numerics/evaluation/ranking.test.ts. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { coverageReportSchema, type ShownCoverage } from '../../../../src/domain/checks/coverage.ts';
import type { Evaluation } from '../../../../src/domain/checks/evaluation.ts';
import { rankingSchema, type ShownRanking } from '../../../../src/domain/checks/ranking.ts';
import type { ModelVersion } from '../../../../src/domain/models/representation.ts';
import type { TestSetUse } from '../../../../src/domain/models/test-set.ts';
import type { LabReport } from '../../../../src/domain/reports/lab-report.ts';
import type { ModelCard } from '../../../../src/domain/reports/model-card.ts';
import { assertProblem, startService, tiny, train } from '../../../support/start-service.ts';

const { app } = await startService({ after });
const training = { epochs: 1, batchSize: 64, validation: { fraction: 0.1 } };
const job = await train(app, tiny({ modelName: 'ranked', training, testSet: 'never' }));
await train(app, tiny({ modelName: 'ranked', training: { ...training, validation: null } }));
const VERSION = '/v1/models/ranked/versions';
const get = (path: string, headers: Record<string, string> = {}) =>
  app.inject({ url: `${VERSION}/${path}`, headers });
const csv = { accept: 'text/csv' };

test('curves end at the figures of the evaluation, and count as one look with it', async () => {
  const response = await get('1/evaluation/ranking');
  assert.equal(response.statusCode, 200, response.body);
  const ranking = response.json<ShownRanking>();
  assert.deepEqual(rankingSchema.strict().parse(ranking), ranking);
  const evaluation = (await get('1/evaluation')).json<Evaluation>();
  const { examples, answered, classes, macroAverage } = ranking;
  assert.equal(examples, evaluation.examples);
  assert.deepEqual([answered.fraction.at(-1), answered.accuracy.at(-1)], [1, evaluation.accuracy]);
  assert.deepEqual(
    classes.map(({ className, support }) => [className, support]),
    evaluation.classes.map(({ className, support }) => [className, support]),
  );
  for (const { curve } of classes) {
    assert.deepEqual([curve.threshold[0], curve.recall[0], curve.falsePositiveRate[0]], [null, 0, 0]);
    assert.deepEqual([curve.recall.at(-1), curve.falsePositiveRate.at(-1)], [1, 1]);
    assert.deepEqual([curve.precision.at(-1), curve.accuracy.at(-1)], [0.1, 0.1]);
    for (const column of Object.values(curve)) assert.equal(column.length, curve.threshold.length);
  }
  const mean = classes.reduce((sum, { areaUnderRoc }) => sum + areaUnderRoc!, 0) / classes.length;
  assert.ok(Math.abs(macroAverage.areaUnderRoc! - mean) < 1e-12);
  const { testSet } = (await get('1')).json<ModelVersion & { testSet: TestSetUse }>();
  assert.equal(
    testSet.looks.total,
    2,
    'one for each version, of which the second was measured in its training',
  );
});

test('the model card has the areas of each class and their means', async () => {
  const { classes, macroAverage, microAverage } = (await get('1/evaluation/ranking')).json<ShownRanking>();
  const pick = ({ areaUnderRoc, averagePrecision }: ShownRanking['macroAverage']) => ({
    areaUnderRoc,
    averagePrecision,
  });
  assert.deepEqual((await get('1/card', { accept: 'application/json' })).json<ModelCard>().areas, {
    classes: classes.map(({ label, className, ...each }) => ({ label, className, ...pick(each) })),
    macroAverage,
    microAverage: pick(microAverage),
  });
  const { body } = await get('1/card', { accept: 'text/markdown' });
  for (const [name, each] of [
    ['Bag', classes[8]!],
    ['mean of the classes', macroAverage],
  ] as const) {
    const { areaUnderRoc, averagePrecision } = each;
    const cells = ` ${areaUnderRoc!.toFixed(4)} \\| +${averagePrecision!.toFixed(4)} `;
    assert.match(body, new RegExp(`\\| ${name} .*\\| +${cells.trim()}`));
  }
});

test('curves are a table as CSV, with one row for each point', async () => {
  const { classes, microAverage, answered } = (await get('1/evaluation/ranking')).json<ShownRanking>();
  const { body, headers } = await get('1/evaluation/ranking', csv);
  assert.match(String(headers['content-type']), /^text\/csv/);
  const rows = body.trimEnd().split('\r\n');
  assert.equal(rows[0], 'curve,className,threshold,recall,falsePositiveRate,precision,accuracy,answered');
  const points = [...classes, microAverage].reduce((sum, { curve }) => sum + curve.threshold.length, 0);
  assert.equal(rows.length, 1 + points + answered.threshold.length);
  assert.equal(rows[1], 'class,T-shirt/top,,0,0,1,0.9,');
  assert.equal(rows.at(-1), `answered,,${answered.threshold.at(-1)},,,,${answered.accuracy.at(-1)},1`);
});

test('the coverage is measured, honestly unless the images calibrated the version', async () => {
  const response = await get('1/evaluation/coverage');
  assert.equal(response.statusCode, 200, response.body);
  const report = response.json<ShownCoverage>();
  assert.deepEqual(coverageReportSchema.strict().parse(report), report);
  const { levels, calibration, reused, temperature } = report;
  assert.deepEqual([calibration.split, calibration.reused, reused], ['validation', false, false]);
  assert.deepEqual(
    levels.map(({ coverage }) => coverage),
    [0.8, 0.9, 0.95, 0.99],
  );
  // 600 images calibrate, so three standard deviations are at most 0.05.
  for (const { coverage, measured } of levels) assert.ok(Math.abs(measured - coverage) < 0.05, `${measured}`);
  assert.ok(levels.every(({ meanSize }, i) => i === 0 || meanSize > levels[i - 1]!.meanSize));
  const stored = (await get('1/calibration')).json<{ temperature: number }>();
  assert.equal(temperature, stored.temperature);
  const train = (await get('1/evaluation/coverage?split=train')).json<ShownCoverage>();
  assert.deepEqual([train.split, train.reused], ['train', true]);
  const rows = (await get('1/evaluation/coverage', csv)).body.trimEnd().split('\r\n');
  assert.deepEqual(
    rows.map((row) => row.split(',')[1]),
    ['measured', ...levels.map(({ measured }) => `${measured}`)],
  );
});

test('the card and the lab report have the measured coverage as a table', async () => {
  const coverage = (await get('1/evaluation/coverage')).json<ShownCoverage>();
  const report = `/v1/training-jobs/${job.id}/report?check=none&path=false`;
  const accept = 'application/json';
  assert.deepEqual((await get('1/card', { accept })).json<ModelCard>().coverage, coverage);
  const json = await app.inject({ url: report, headers: { accept } });
  assert.deepEqual(json.json<LabReport>().coverage, coverage);
  const markdown = await app.inject({ url: report, headers: { accept: 'text/markdown' } });
  const { measured, meanSize } = coverage.levels[2]!;
  for (const { body } of [await get('1/card'), markdown]) {
    const [, section] = /\n## Calibration\n(.*?)(\n## |$)/s.exec(body) ?? assert.fail(body);
    assert.match(
      section!,
      new RegExp(`\\| 0\\.95 +\\| +${measured.toFixed(4)} +\\| +${meanSize.toFixed(4)} `),
    );
  }
});

test('the coverage is reused after a calibration on the test images', async () => {
  assertProblem(await get('2/evaluation/coverage'), 409, 'not-calibrated');
  assertProblem(await get('2/plots/coverage'), 409, 'not-calibrated');
  await app.inject({ method: 'POST', url: `${VERSION}/2/calibration`, payload: {} });
  const { reused, calibration } = (await get('2/evaluation/coverage')).json<ShownCoverage>();
  assert.deepEqual([reused, calibration.split, calibration.images], [true, 'test', 1000]);
});

test('rejects other types and unknown versions', async () => {
  for (const path of ['evaluation/ranking', 'evaluation/coverage']) {
    assertProblem(await get(`1/${path}`, { accept: 'image/png' }), 406, 'not-acceptable');
    assertProblem(await get(`9/${path}`), 404, 'model-not-found');
    assertProblem(await get(`1/${path}?split=all`), 400, 'invalid-request', 'split');
  }
});
