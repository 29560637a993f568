import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Evaluation } from '../../../src/domain/checks/evaluation.ts';
import { describeLimitations, describeUse } from '../../../src/domain/reports/model-card.ts';

const classes = [0.9, 0.6, 0, 0.7].map((recall, label) => ({
  ...{ label, className: 'abcd'[label]!, recall, support: label === 2 ? 0 : 10 },
}));
const confusionMatrix = [
  [9, 1, 0, 0],
  [1, 6, 0, 3],
  [0, 0, 0, 0],
  [1, 2, 0, 7],
];
const evaluation = {
  ...{ classes, confusionMatrix, calibration: { expectedCalibrationError: 0.0123 } },
} as unknown as Evaluation;

test('the limitations have the class with the lowest recall, and what it is taken for', () => {
  assert.deepEqual(describeLimitations(evaluation).slice(2), [
    'Of the images of class b, 60.0 % are recognised; no class has a lower fraction. The others are most often taken for d.',
    'The confidence of its predictions differs from their accuracy by 1.2 % on average.',
  ]);
  const perfect = {
    ...evaluation,
    classes: evaluation.classes.slice(0, 2).map((each) => ({ ...each, recall: 1 })),
    confusionMatrix: [
      [10, 0],
      [0, 10],
    ],
  };
  assert.equal(
    describeLimitations(perfect)[2],
    'Of the images of class a, 100.0 % are recognised; no class has a lower fraction.',
  );
});

test('without an evaluation, the limitations of every such network are left', () => {
  assert.deepEqual(describeLimitations(null), describeLimitations(evaluation).slice(0, 2));
});

test('the intended use names the images and the classes', () => {
  assert.equal(
    describeUse({ inputShape: [32, 20, 3], classNames: ['cat', 'dog'] }),
    'Assigns a colour image of 32×20 pixels to one of 2 classes: cat, dog.',
  );
});
