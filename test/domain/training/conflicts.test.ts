import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trainingRequestSchema } from '../../../src/domain/jobs/request.ts';
import { findTrainingConflicts } from '../../../src/domain/training/conflicts.ts';
import type { ImageShape } from '../../../src/numerics/network/image-shape.ts';

const conflictsOf = (network: Record<string, unknown>, imageShape: ImageShape = [28, 28]) => {
  const request = trainingRequestSchema.parse({ dataset: 'd', network });
  return findTrainingConflicts(request, { imageShape, classNames: ['a', 'b'], validation: null }, 10);
};

/** Pointers to the fields of a training that conflict with others, without '#/training/'. */
function conflictingFields(
  training: object,
  { validationImages = 10, hidden = [4], warmStart = false } = {},
) {
  const request = trainingRequestSchema.parse({
    dataset: 'd',
    network: { hidden, init: 'he' },
    training,
    warmStart: warmStart ? { name: 'mine' } : null,
  });
  const dataset = { imageShape: [28, 28], classNames: ['a', 'b'], validation: null } as const;
  return findTrainingConflicts(request, dataset, validationImages).map(({ pointer }) =>
    pointer.replace('#/training/', ''),
  );
}

test('Nesterov needs momentum, and dropout a hidden layer', () => {
  const sgd = (options: object) => conflictingFields({ optimizer: { type: 'sgd', ...options } });
  assert.deepEqual(sgd({ nesterov: true, momentum: 0 }), ['optimizer/nesterov']);
  assert.deepEqual(sgd({ nesterov: true, momentum: 0.1 }), []);
  assert.deepEqual(sgd({ nesterov: false, momentum: 0 }), []);
  assert.deepEqual(conflictingFields({ dropout: 0.1 }, { hidden: [] }), ['dropout']);
  assert.deepEqual(conflictingFields({ dropout: 0 }, { hidden: [] }), []);
  assert.deepEqual(conflictingFields({ dropout: 0.1 }), []);
});

test('a schedule fits into the epochs, and its peak is not below the learning rate', () => {
  const scheduled = (schedule: object) =>
    conflictingFields({ epochs: 3, optimizer: { learningRate: 0.5 }, schedule });
  assert.deepEqual(scheduled({ type: 'warmup-cosine', warmupEpochs: 3 }), ['schedule/warmupEpochs']);
  assert.deepEqual(scheduled({ type: 'warmup-cosine', warmupEpochs: 2 }), []);
  assert.deepEqual(scheduled({ type: 'cosine-restarts', period: 3 }), ['schedule/period']);
  assert.deepEqual(scheduled({ type: 'cosine-restarts', period: 2 }), []);
  assert.deepEqual(scheduled({ type: 'one-cycle', peak: 0.4 }), ['schedule/peak']);
  assert.deepEqual(scheduled({ type: 'one-cycle', peak: 0.5 }), []);
});

test('each class has a weight, and not all of them are zero', () => {
  assert.deepEqual(conflictingFields({ classWeights: [1, 1, 1] }), ['classWeights']);
  assert.deepEqual(conflictingFields({ classWeights: [0, 0] }), ['classWeights']);
  assert.deepEqual(conflictingFields({ classWeights: [0, 1] }), []);
});

test('early stopping and a target accuracy need validation images', () => {
  const training = { earlyStopping: { patience: 1 }, budget: { targetValidationAccuracy: 0.9 } };
  const fields = ['earlyStopping', 'budget/targetValidationAccuracy'];
  assert.deepEqual(conflictingFields(training, { validationImages: 0 }), fields);
  assert.deepEqual(conflictingFields(training, { validationImages: 1 }), []);
  assert.deepEqual(conflictingFields({ budget: { seconds: 1 } }, { validationImages: 0 }), []);
  const advice = (validation: object | null) => {
    const request = trainingRequestSchema.parse({ dataset: 'd', training: { ...training, validation } });
    const dataset = { imageShape: [28, 28], classNames: ['a', 'b'], validation: null } as const;
    return findTrainingConflicts(request, dataset, 0)[0]?.detail;
  };
  const without = 'requires validation; set training.validation.fraction above 0';
  assert.equal(advice(null), without);
  assert.equal(advice({ fraction: 0 }), without);
  assert.equal(
    advice({ fraction: 0.01 }),
    'requires validation images, but 0.01 of each class rounds to none; increase training.validation.fraction',
  );
});

test('a budget has a limit, and a warm start no other initialization', () => {
  assert.deepEqual(conflictingFields({ budget: {} }), ['budget']);
  assert.deepEqual(conflictingFields({}, { warmStart: true }), ['#/network/init']);
});

test('each stage halves an image, which must keep a pixel', () => {
  assert.deepEqual(conflictsOf({ convolutions: [4, 4, 4, 4] }), []);
  assert.deepEqual(conflictsOf({ convolutions: [4, 4, 4] }, [8, 8]), []);
  assert.deepEqual(conflictsOf({ convolutions: [4, 4, [4, 4], 4] }, [8, 44]), [
    {
      pointer: '#/network/convolutions',
      detail:
        'must have fewer stages: each halves height and width, so that images have 8×44, 4×22, 2×11, 1×5, 0×2 pixels',
    },
  ]);
});

test('group normalization needs convolutions whose channels are divided into groups of four', () => {
  assert.deepEqual(conflictsOf({ convolutions: [4, [8, 12]], norm: 'group' }), []);
  assert.deepEqual(conflictsOf({ convolutions: [4, [8, 6]], norm: 'group' }), [
    {
      pointer: '#/network/convolutions',
      detail: 'must be multiples of 4 with the norm group, but one has 6 channels',
    },
  ]);
  assert.deepEqual(conflictsOf({ norm: 'group' }), [
    {
      pointer: '#/network/norm',
      detail: 'has no effect without convolutions; omit it or add network.convolutions',
    },
  ]);
});

test('a stage has one number or a list of up to three', () => {
  const parse = (convolutions: unknown) =>
    trainingRequestSchema.safeParse({ dataset: 'd', network: { convolutions } }).success;
  assert.deepEqual(
    [[], [1, 256], [[1, 2, 3]], [0], [257], [1.5], [[]], [[1, 2, 3, 4]], [4, 4, 4, 4, 4], 16, ['16']].map(
      parse,
    ),
    [true, true, true, false, false, false, false, false, false, false, false],
  );
});
