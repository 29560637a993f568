import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset, DatasetSummary } from '../../../src/domain/datasets/representation.ts';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import type { ModelVersion } from '../../../src/domain/models/representation.ts';
import {
  describeReproduction,
  describeUnpublished,
  findCoverage,
  listExamples,
  selectDrawn,
  withLooks,
} from '../../../src/services/reports/facts.ts';
import type { SectionContext } from '../../../src/services/reports/sections.ts';
import { request } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';

const { signal } = new AbortController();
const JOB = { id: 'job_1', status: 'succeeded', search: null, verification: null, publication: null };
const jobOf = (changes: object = {}) => ({ ...request(), ...JOB, ...changes }) as unknown as TrainingJob;

test('a job without a version has the reason for it', () => {
  const none = 'so it published no version.';
  for (const [changes, reason] of [
    [
      { search: { id: 'sea_1', trial: 2 }, status: 'failed' },
      'The job is a trial of a search, and trials publish no version.',
    ],
    [{ search: { id: 'sea_1', trial: null }, status: 'failed' }, `The job failed, ${none}`],
    [{ status: 'cancelled' }, `The job was cancelled, ${none}`],
    [{ verification: { of: 'job_9' } }, `The job verifies job_9, ${none}`],
    [{ publication: { reason: 'It did not learn.' } }, 'It did not learn.'],
    [{}, 'The job published no version.'],
  ] as const) {
    assert.equal(describeUnpublished(jobOf(changes)), reason);
  }
});

test('a data set is shown with its looks, and the first training image of each class that has one', async () => {
  const splits = { train: { examples: 3 }, test: { examples: 2, examplesPerClass: [2] } };
  assert.deepEqual(withLooks({ id: 'd', splits } as unknown as DatasetSummary, 7), {
    id: 'd',
    splits: {
      train: { examples: 3 },
      test: { examples: 2, examplesPerClass: [2], looks: 7 },
    },
  });
  const images = { pixels: new Uint8Array(0), labels: Uint8Array.of(2, 0, 2, 0) };
  const digits: Dataset = {
    id: 'digits',
    imageShape: [28, 28],
    classNames: ['a', 'b', 'c'],
    digest: '',
    train: images,
    validation: null,
    learning: images,
    test: images,
  };
  const url = '/lab/v1/datasets/digits/splits/train/images';
  assert.deepEqual(await listExamples(catalogOf(digits), 'digits', '/lab'), [
    { label: 0, className: 'a', index: 1, image: `${url}/1` },
    { label: 2, className: 'c', index: 0, image: `${url}/0` },
  ]);
  assert.deepEqual(await listExamples(catalogOf(), 'digits', '/lab'), []);
});

test('a job can be repeated by its request, and verified only with a digest and a receipt', () => {
  const receipt = { request: { dataset: 'd', seed: 1 } };
  const { repeat, verify } = describeReproduction(jobOf({ receipt, digest: 'sha256:1' }), '/lab');
  assert.match(repeat, /"\$ATELIER\/lab\/v1\/training-jobs" .* -d '\{"dataset":"d","seed":1\}'$/);
  assert.match(verify!, / -X POST "\$ATELIER\/lab\/v1\/training-jobs\/job_1\/verify"$/);
  assert.equal(describeReproduction(jobOf({ receipt, digest: null }), '').verify, null);
  const without = describeReproduction(jobOf({ receipt: null, digest: 'sha256:1' }), '');
  assert.equal(without.verify, null);
  assert.match(without.repeat, /"dataset":"fashion-mnist"/);
});

test('weights of up to a hundred units are drawn, and for more there is a command', () => {
  const omitted: unknown[] = [];
  const omit: SectionContext['omit'] = (...section) => {
    omitted.push(section);
    return null;
  };
  const context = { basePath: '/lab', caller: '', signal, omit };
  const version = (units: number) =>
    ({
      name: 'digits',
      version: 2,
      inputShape: [28, 28],
      convolutions: [],
      norm: 'none',
      layerSizes: [784, units, 10],
    }) as unknown as ModelVersion;
  const drawn = version(100);
  assert.equal(selectDrawn(drawn, context), drawn);
  assert.deepEqual(omitted, []);
  assert.equal(selectDrawn(version(101), context), null);
  assert.deepEqual(omitted, [
    [
      'weights',
      'The first layer has 101 units. A report draws at most 100.',
      'curl -sS --fail-with-body "$ATELIER/lab/v1/models/digits/versions/2/weights" -o weights.png',
    ],
  ]);
});

test('a version without a calibration has no coverage', async () => {
  const evaluations = { measureCoverage: () => assert.fail('nothing to measure') };
  assert.equal(await findCoverage(evaluations, { calibration: null } as ModelVersion, signal), null);
});
