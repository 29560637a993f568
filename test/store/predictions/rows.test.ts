import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NewPredictionJob } from '../../../src/domain/predictions/job.ts';
import {
  newPredictionRow,
  toPredictionJob,
  toReadablePrediction,
} from '../../../src/store/predictions/rows.ts';

const ID = 'prd_01ARZ3NDEKTSV4RRFFQ69G5FAV';
const CREATED = '2026-01-02T03:04:05.678Z';

const rowOf = (changes: Partial<NewPredictionJob>) =>
  newPredictionRow(ID, CREATED, {
    model: { name: 'shoes', version: 3 },
    classNames: ['cat', 'dog'],
    source: { pixels: '0-255' },
    images: 8,
    coverage: 0.9,
    ...changes,
  });

test('a new prediction job is queued, and names its only source', () => {
  const ofFile = toPredictionJob(rowOf({}));
  assert.deepEqual(ofFile, {
    id: ID,
    status: 'queued',
    waiting: null,
    pauseReason: null,
    model: { name: 'shoes', version: 3 },
    dataset: null,
    split: null,
    pixels: '0-255',
    images: 8,
    progress: { images: 0, fraction: 0 },
    classes: null,
    correct: null,
    accuracy: null,
    coverage: 0.9,
    unsure: null,
    attempts: 0,
    createdAt: CREATED,
    startedAt: null,
    finishedAt: null,
    error: null,
  });
  const source = { dataset: 'dst_pets', split: 'train' } as const;
  const { dataset, split, pixels } = toPredictionJob(rowOf({ source }));
  assert.deepEqual([dataset, split, pixels], ['dst_pets', 'train', null]);
});

test('the counts of a prediction job become classes with names, and an accuracy that may be 0', () => {
  const counted = { ...rowOf({}), classes: '[0,8]', done: 6, correct: 0, unsure: 2 };
  const { classes, progress, correct, accuracy, unsure } = toPredictionJob(counted);
  assert.deepEqual(classes, [
    { label: 0, className: 'cat', images: 0 },
    { label: 1, className: 'dog', images: 8 },
  ]);
  assert.deepEqual([progress, correct, accuracy, unsure], [{ images: 6, fraction: 0.75 }, 0, 0, 2]);
});

test('a damaged row of a prediction job gives nothing', () => {
  assert.equal(toReadablePrediction(rowOf({}))?.id, ID);
  assert.equal(toReadablePrediction({ ...rowOf({}), class_names: '[x' }), undefined);
});
