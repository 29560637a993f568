import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { jobPlotQuerySchema, plotQuerySchema } from '../../../src/domain/reports/plots.ts';
import { drawCoveragePlot, drawJobPlot } from '../../../src/services/inspection/draw-plots.ts';
import { epochRecords } from '../../charts/samples.ts';
import { request } from '../../store/fixtures.ts';

const jobOf = (id: string, hidden: number[]) =>
  ({ ...request('digits'), id, network: { ...request().network, hidden } }) as unknown as TrainingJob;
const job = jobOf('job_1', [4]);
const query = jobPlotQuerySchema.parse({});
const records = epochRecords(3);

test('a plot has the size of its query, or the height that suits it', () => {
  const loss = drawJobPlot('loss', [job], [records], query);
  assert.deepEqual([loss.width, loss.height], [640, 400]);
  assert.match(loss.svg, /^<svg [^>]*width="640" height="400"/);
  assert.equal(drawJobPlot('weight-norm', [job], [records], query).height, 320);
  assert.equal(drawJobPlot('dead-units', [job], [records], query).height, 320);
  const small = drawJobPlot('loss', [job], [records], { ...query, width: 300, height: 200 });
  assert.match(small.svg, /^<svg [^>]*width="300" height="200"/);
});

test('a plot of one job names its model and id, and one of several how many there are', () => {
  assert.match(drawJobPlot('loss', [job], [records], query).svg, />digits · job_1</);
  const other = jobOf('job_2', [5]);
  const both = drawJobPlot('loss', [job, other], [records, records], query).svg;
  assert.match(both, />2 training jobs</);
  assert.match(both, />hidden 4: .*>hidden 5: /);
});

test('every epoch with a test result is a look, also those before the first one that is drawn', () => {
  const looksOf = (drawn: typeof records) =>
    /represents (.*?) at the test set/.exec(drawJobPlot('loss', [job], [drawn], query).svg)?.[1];
  assert.equal(looksOf(records), '3 looks');
  assert.equal(looksOf(records.slice(1)), '3 looks');
  const once = records.map((record, n) => (n === 2 ? record : { ...record, testLoss: null }));
  assert.equal(looksOf(once), looksOf([records[0]!]));
});

test('dead units need hidden layers in every network', () => {
  const shallow = jobOf('job_2', []);
  assert.throws(() => drawJobPlot('dead-units', [job, shallow], [records, records], query), {
    code: 'impossible-request',
    message: 'The network of training job job_2 has no hidden layers.',
  });
});

test('a plot of a version names the version, the split and the data set', () => {
  const levels = [0.5, 0.9].map((coverage) => {
    return { coverage, measured: coverage, meanSize: 1.5, unsure: 0.25, sureAccuracy: 0.75 };
  });
  const measured = { model: { name: 'digits', version: 2 }, dataset: { id: 'dst_1' }, report: { levels } };
  const { svg, height } = drawCoveragePlot(
    { ...measured, reused: false } as unknown as Parameters<typeof drawCoveragePlot>[0],
    { ...plotQuerySchema.parse({}), split: 'train' },
  );
  assert.match(svg, />digits@2 · train split of dst_1</);
  assert.equal(height, 400);
});
