import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { labReportQuerySchema } from '../../../src/domain/reports/lab-report.ts';
import { AtelierError } from '../../../src/errors.ts';
import { createLabReportService } from '../../../src/services/reports/collect.ts';
import { epochRecord, request } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';

const images = { pixels: new Uint8Array(0), labels: Uint8Array.of(1, 0) };
const digits: Dataset = {
  id: 'fashion-mnist',
  imageShape: [28, 28],
  classNames: ['a', 'b'],
  digest: 'sha256:d',
  train: images,
  validation: null,
  learning: images,
  test: images,
};
const JOB = {
  ...request('digits'),
  id: 'job_1',
  status: 'succeeded',
  receipt: null,
  digest: null,
  search: null,
  verification: null,
  publication: null,
  best: null,
  error: null,
  model: null,
  warnings: [{ message: 'The last epoch was slow.' }],
  progress: { step: 7, steps: 10 },
};
const jobOf = (changes: object = {}) => ({ ...JOB, ...changes }) as unknown as TrainingJob;
const model = { name: 'digits', version: 2 };
const version = {
  ...model,
  lineage: { jobId: 'job_1' },
  calibration: null,
  inputShape: [28, 28],
  convolutions: [],
  norm: 'none',
  layerSizes: [784, 40, 2],
};

interface Known {
  readonly datasets?: readonly Dataset[];
  readonly records?: number;
  readonly version?: object | Error;
  readonly trials?: readonly object[];
  readonly path?: Error;
  readonly images?: Error;
}

/** Collects the report of a job; the evaluation costs too much, and the check is left out. */
function collect(job: TrainingJob, known: Known = {}, query: object = {}) {
  const { datasets = [digits], records = 3, trials = [] } = known;
  const event = (type: string, data: object) => ({ type, data });
  const costly = new AtelierError('evaluation-too-costly', 'The evaluation takes too long.');
  const catalog = catalogOf(...datasets);
  const service = createLabReportService({
    store: {
      looks: { has: async () => false },
      events: {
        list: async () => ({
          data: [
            event('warning', { message: 'Too few steps.' }),
            event('warning', { message: 'Dead units.', epoch: 1 }),
            event('warning', { code: 7 }),
            event('status', { message: 'queued' }),
          ],
        }),
      },
      epochRecords: { list: async () => [1, 2, 3].slice(0, records).map((n) => epochRecord(n, 0.5)) },
    },
    catalog: known.images ? { ...catalog, get: () => Promise.reject(known.images) } : catalog,
    models: {
      async version() {
        if (known.version instanceof Error) throw known.version;
        return known.version ?? version;
      },
    },
    gradients: {},
    evaluations: { evaluate: () => Promise.reject(costly) },
    paths: { compute: () => Promise.reject(known.path) },
    testSets: { describe: async () => 'described', looksAt: async () => 5 },
    searches: { get: async (id: string) => ({ id }), leaderboard: async () => trials },
  } as unknown as Parameters<typeof createLabReportService>[0]);
  const { signal } = new AbortController();
  const options = labReportQuerySchema.parse({ check: 'none', path: 'false', ...query });
  return service.collect(job, options, { basePath: '', caller: 'ada', signal });
}
const reasonsOf = ({ report }: Awaited<ReturnType<typeof collect>>) =>
  report.omitted.map(({ section, reason }) => `${section}: ${reason}`);
const UNCOMPUTED = ['gradient-check: The request has check=none.', 'path: The request has path=false.'];

test('only an ended job has a report, and the error says what to do', async () => {
  const start = (status: string) => `Training job job_1 is ${status}. Only ended jobs have a report.`;
  for (const [status, advice] of [
    ['paused', 'Resume or cancel it first.'],
    ['running', 'Wait for its end: GET /v1/training-jobs/job_1/events.'],
  ] as const) {
    await assert.rejects(collect(jobOf({ status })), {
      code: 'illegal-transition',
      message: `${start(status)} ${advice}`,
      details: [{ parameter: 'id', detail: 'must be a training job that has ended' }],
    });
  }
});

test('a report has the last epochs, the data set with its looks, and warnings that still hold', async () => {
  const collected = await collect(jobOf({ model }), {}, { last: '2' });
  const { report, records, drawn } = collected;
  assert.deepEqual(
    report.epochs.map(({ epoch }) => epoch),
    [2, 3],
  );
  assert.equal(records.length, 3);
  assert.equal(report.dataset!.splits.test.looks, 5);
  assert.deepEqual(
    report.examples.map(({ className, index }) => [className, index]),
    [
      ['a', 1],
      ['b', 0],
    ],
  );
  assert.deepEqual(report.warnings, ['Too few steps.', 'The last epoch was slow.']);
  assert.deepEqual(
    [drawn, report.testSet, report.areas, report.coverage],
    [version, 'described', null, null],
  );
  assert.deepEqual(reasonsOf(collected), ['evaluation: The evaluation takes too long.', ...UNCOMPUTED]);
});

test('what is missing is left out with a reason, in the order of the sections', async () => {
  const unpublished = await collect(jobOf({ status: 'failed' }), { datasets: [], records: 0 });
  const failed = 'The job failed, so it published no version.';
  assert.deepEqual(reasonsOf(unpublished), [
    'data: Data set fashion-mnist was deleted, or has changed.',
    `evaluation: ${failed}`,
    ...UNCOMPUTED,
    `test-set: ${failed}`,
    'training: The job completed no epoch.',
    `weights: ${failed}`,
  ]);
  const { report, drawn } = unpublished;
  assert.deepEqual([report.dataset, report.examples, report.testSet, drawn], [null, [], null, null]);
  const changed = { receipt: { dataset: { digest: 'sha256:e' }, request: JOB }, model };
  assert.deepEqual(reasonsOf(await collect(jobOf(changed))), [
    'data: Data set fashion-mnist was deleted, or has changed.',
    'evaluation: The data set of the version was deleted, or has changed.',
    ...UNCOMPUTED,
  ]);
});

test('a version that was deleted, or whose name another job has used since, is not the one of the job', async () => {
  const deleted = new AtelierError('model-not-found', 'There is none.');
  for (const found of [deleted, { ...version, lineage: { jobId: 'job_2' } }]) {
    const reasons = reasonsOf(await collect(jobOf({ model }), { version: found }));
    assert.ok(reasons.includes('weights: Version 2 of model digits was deleted.'), String(reasons));
  }
  const outage = new AtelierError('storage-unavailable', 'The database is away.');
  await assert.rejects(collect(jobOf({ model }), { version: outage }), outage);
});

test('a trial that its search stopped is shown with the first twenty trials', async () => {
  const trials = Array.from({ length: 30 }, (_, n) => ({ trial: n + 1, status: 'stopped' }));
  const search = { id: 'sea_1', trial: 25 };
  const stopped = await collect(jobOf({ search, status: 'cancelled' }), { trials });
  assert.deepEqual(
    [stopped.isStopped, stopped.report.trials.length, stopped.report.search],
    [true, 20, { id: 'sea_1' }],
  );
  const cancelled = trials.map((each) => ({ ...each, status: 'cancelled' }));
  const others = await collect(jobOf({ search, status: 'cancelled' }), { trials: cancelled });
  assert.equal(others.isStopped, false);
  assert.equal((await collect(jobOf({ search }), { trials })).isStopped, false);
});

test('an error that concerns the whole report ends it', async () => {
  const busy = new AtelierError('overloaded', 'Busy.');
  await assert.rejects(collect(jobOf({ model }), { path: busy }, { path: 'true' }), busy);
});

test('a report has the calibration of its version, and null without one', async () => {
  const calibration = { temperature: 1.5 };
  const { report } = await collect(jobOf({ model }), { version: { ...version, calibration } });
  assert.equal(report.calibration, calibration);
  assert.equal((await collect(jobOf({ model }))).report.calibration, null);
  assert.equal((await collect(jobOf({ status: 'failed' }))).report.calibration, null);
});

test('a data set whose images cannot be read is shown without examples, and with the reason', async () => {
  const unreadable = new AtelierError('impossible-request', 'The images cannot be shown.');
  const collected = await collect(jobOf({ model }), { images: unreadable });
  assert.deepEqual(collected.report.examples, []);
  assert.ok(reasonsOf(collected).includes('data: The images cannot be shown.'), String(reasonsOf(collected)));
});
