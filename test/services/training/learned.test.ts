import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import type { EpochRecord } from '../../../src/domain/jobs/epoch-record.ts';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { describeNotLearned } from '../../../src/services/training/learned.ts';

/** Three quarters of the images have class 0. */
const train = {
  pixels: new Uint8Array(0),
  labels: Uint8Array.from({ length: 4000 }, (_, n) => (n % 4 === 0 ? 1 : 0)),
};
const DATASET = { train, validation: null, learning: train } as unknown as Dataset;

const describe = (
  record: Partial<EpochRecord>,
  training: object = {},
  search: TrainingJob['search'] = null,
): string | null =>
  describeNotLearned(
    { training: { classWeights: null, validation: { fraction: 0.1 }, ...training }, search } as TrainingJob,
    { epoch: 7, trainAccuracy: 0.99, validationAccuracy: 0.99, ...record } as EpochRecord,
    DATASET,
  );

test('a training that is as good as always predicting the largest class has not learned', () => {
  assert.match(
    describe({ validationAccuracy: 0.75 })!,
    /the validation accuracy of epoch 7 is 75\.00 %, .* right for 75\.00 %; with 400 images, more than 79\.33 % .* with "publish": \{/,
  );
  assert.equal(describe({ validationAccuracy: 0.95 }), null);
});

test('without validation images, the training images of the epoch decide', () => {
  const none = { validation: null };
  assert.match(
    describe({ validationAccuracy: null, trainAccuracy: 0.75 }, none)!,
    /the training accuracy of epoch 7 is 75\.00 %, .* with 4,000 images,/,
  );
  assert.equal(describe({ validationAccuracy: null, trainAccuracy: 0.95 }, none), null);
});

test('class weights trade this accuracy for that on small classes, so they count as learned', () => {
  assert.equal(describe({ validationAccuracy: 0.1 }, { classWeights: 'balanced' }), null);
});

test('the advice for a trial of a search names the field of the search', () => {
  const search = { id: 'sea_1' } as unknown as TrainingJob['search'];
  assert.match(
    describe({ validationAccuracy: 0.75 }, {}, search)!,
    /with "final": \{ "publish": \{ .* in the search\.$/,
  );
});
