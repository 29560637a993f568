import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatasetSummary } from '../../../src/domain/datasets/representation.ts';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import type { ModelVersion } from '../../../src/domain/models/representation.ts';
import type { LabReportQuery } from '../../../src/domain/reports/lab-report.ts';
import { AtelierError, type ErrorCode, type ErrorDetail } from '../../../src/errors.ts';
import { createReportSections } from '../../../src/services/reports/sections.ts';
import { request } from '../../store/fixtures.ts';

const job = (changes: object = {}) =>
  ({ ...request(), id: 'job_1', receipt: null, digest: 'sha256:1', ...changes }) as unknown as TrainingJob;
const version = { name: 'digits', version: 2 } as ModelVersion;
const dataset = { id: 'd', digest: 'sha256:d' } as DatasetSummary;

type Options = Parameters<typeof createReportSections>[0];

/** Sections whose computations all give this, or fail with it. */
function setUp(result: unknown, isRevealed = false) {
  const omitted: [section: string, reason: string, curl: string | null][] = [];
  const requests: object[] = [];
  const compute = async (computed: object) => {
    requests.push(computed);
    if (result instanceof Error) throw result;
    return result;
  };
  const sections = createReportSections({
    looks: { has: async () => isRevealed },
    gradients: { check: compute },
    evaluations: { evaluate: compute },
    paths: { compute },
  } as unknown as Options);
  const context = {
    basePath: '/lab',
    caller: 'ada',
    signal: new AbortController().signal,
    omit(section: string, reason: string, curl: string | null = null) {
      omitted.push([section, reason, curl]);
      return null;
    },
  };
  return { sections, context, omitted, requests };
}
const failing = (code: ErrorCode, details: ErrorDetail[] = []) =>
  setUp(new AtelierError(code, 'Too much.', { details }));
const query = (path: LabReportQuery['path']) => ({ path }) as LabReportQuery;

test('a gradient check starts from the network or the warm start, and is computed once', async () => {
  const { sections, context, requests } = setUp({ report: { passed: true } });
  for (let n = 0; n < 2; n++) {
    assert.deepEqual(await sections.check(job(), 'forward', context), { passed: true });
  }
  await sections.check(job({ id: 'job_2', warmStart: 'digits@1' }), 'central', context);
  assert.deepEqual(
    requests
      .map((sent) => ({ scheme: null, model: null, ...sent }))
      .map(({ scheme, model }) => [scheme, model]),
    [
      ['forward', null],
      ['central', 'digits@1'],
    ],
  );
  assert.ok('network' in requests[0]! && !('network' in requests[1]!));
});

test('a gradient check that is left out has a command, with a sample if all coordinates cost too much', async () => {
  const none = setUp(new Error('not computed'));
  assert.equal(await none.sections.check(job(), 'none', none.context), null);
  const [[section, reason, curl]] = none.omitted as [(typeof none.omitted)[0]];
  assert.deepEqual([section, reason], ['gradient-check', 'The request has check=none.']);
  assert.doesNotMatch(curl!, /scheme|sample/);
  const costly = failing('check-too-costly');
  await costly.sections.check(job(), 'central', costly.context);
  assert.match(
    costly.omitted[0]![2]!,
    /\/lab\/v1\/gradient-checks".*"scheme":"central","coordinates":\{"sample":200\}/,
  );
  const impossible = failing('impossible-request');
  await impossible.sections.check(job(), 'central', impossible.context);
  assert.deepEqual(impossible.omitted, [['gradient-check', 'Too much.', null]]);
});

test('an evaluation that would be the first look is left out if the training never looks', async () => {
  const never = failing('evaluation-too-costly');
  await never.sections.evaluate(job({ testSet: 'never' }), version, dataset, never.context);
  assert.deepEqual(never.omitted, [
    [
      'evaluation',
      'The training never measures the test split, and no test result of the version was revealed yet.',
      'curl -sS --fail-with-body "$ATELIER/lab/v1/models/digits/versions/2/evaluation"',
    ],
  ]);
  assert.equal(never.requests.length, 0);
  const error = new AtelierError('evaluation-too-costly', 'Too much.');
  for (const [testSet, isRevealed] of [
    ['never', true],
    ['once', false],
  ] as const) {
    const { sections, context, omitted, requests } = setUp(error, isRevealed);
    await sections.evaluate(job({ testSet }), version, dataset, context);
    assert.deepEqual([requests.length, omitted], [1, [['evaluation', 'Too much.', null]]]);
  }
});

test('a path that is left out has a command if there is one that fits', async () => {
  const plot = '"$ATELIER/lab/v1/training-jobs/job_1/plots/path';
  const small = `curl -sS --fail-with-body ${plot}?snapshots=20&grid=10&examples=500" -o path.svg`;
  const fitting = [{ parameter: 'examples', detail: 'must be lower' }];
  for (const [made, changes, path, omission] of [
    [
      setUp({}),
      {},
      'false',
      ['The request has path=false.', `curl -sS --fail-with-body ${plot}" -o path.svg`],
    ],
    [setUp({}), { digest: null }, 'false', ['The request has path=false.', null]],
    [failing('path-too-costly', fitting), {}, 'true', ['Too much.', small]],
    [failing('path-too-costly'), {}, 'true', ['Too much.', null]],
    [failing('impossible-request', fitting), {}, 'true', ['Too much.', null]],
  ] as const) {
    assert.equal(await made.sections.computePath(job(changes), query(path), made.context), null);
    assert.deepEqual(made.omitted, [['path', ...omission]]);
  }
  const { sections, context, requests } = setUp({ agrees: true });
  assert.deepEqual(await sections.computePath(job(), query('true'), context), { agrees: true });
  assert.equal(requests.length, 1);
});

test('errors that concern more than one section are not hidden', async () => {
  for (const error of [new AtelierError('overloaded', 'Busy.'), new Error('a defect')]) {
    const { sections, context } = setUp(error);
    await assert.rejects(sections.check(job(), 'central', context), error);
    await assert.rejects(sections.computePath(job(), query('true'), context), error);
  }
});
