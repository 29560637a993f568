import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trainingRequestSchema } from '../../../src/domain/jobs/request.ts';
import { findTrainingConflicts } from '../../../src/domain/training/conflicts.ts';
import type { ImageShape } from '../../../src/numerics/network/image-shape.ts';

const conflictsOf = (network: Record<string, unknown>, imageShape: ImageShape = [28, 28]) => {
  const request = trainingRequestSchema.parse({ dataset: 'd', network });
  return findTrainingConflicts(request, { imageShape, classNames: ['a', 'b'] }, 10);
};

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
