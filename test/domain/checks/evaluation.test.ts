import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  comparisonQuerySchema,
  comparisonSchema,
  describeComparison,
  describeEvaluation,
  type EvaluatedSplit,
  evaluationCellQuerySchema,
  evaluationSchema,
} from '../../../src/domain/checks/evaluation.ts';
import { classificationReport } from '../../../src/numerics/evaluation/classification-report.ts';
import { comparePredictions } from '../../../src/numerics/evaluation/comparison.ts';
import { predictionsFor } from '../../numerics/evaluation/fixtures.ts';

const split: EvaluatedSplit = {
  dataset: 'shapes',
  split: 'test',
  classNames: ['round', 'square', 'none of it'],
  imageUrl: (index) => `/pictures/${index}`,
};
const [model, other] = [
  { name: 'shapes', version: 2 },
  { name: 'shapes', version: 1 },
];
const labels = [0, 0, 1, 1];
const first = predictionsFor(
  [
    [3, 0, 0],
    [0, 3, 0],
    [0, 3, 0],
    [0, 2, 0],
  ].flat(),
  labels,
  3,
);
const second = predictionsFor(
  [
    [0, 3, 0],
    [0, 3, 0],
    [3, 0, 0],
    [0, 2, 0],
  ].flat(),
  labels,
  3,
);

test('an evaluation names the classes and links the images of mistakes', () => {
  const shown = describeEvaluation(model, split, classificationReport(first, 3));
  assert.deepEqual(evaluationSchema.parse(shown), shown);
  const [mistake] = shown.mistakes;
  assert.deepEqual(
    [mistake?.image, mistake?.className, mistake?.predictedClassName],
    ['/pictures/1', 'round', 'square'],
  );
  assert.deepEqual(
    shown.classes.map(({ className, support }) => [className, support]),
    [
      ['round', 2],
      ['square', 2],
      ['none of it', 0],
    ],
  );
});

test('a network that overflows has a null loss, and all other figures are numbers', () => {
  const overflowing = predictionsFor(
    [
      [Number.NaN, 0, 0],
      [0, 3, 0],
      [0, 3, 0],
      [0, 2, 0],
    ].flat(),
    labels,
    3,
  );
  const shown = describeEvaluation(model, split, classificationReport(overflowing, 3));
  assert.equal(shown.loss, null);
  assert.deepEqual(evaluationSchema.parse(JSON.parse(JSON.stringify(shown))), shown);
});

test('a comparison gives the gain in accuracy, overall and per class', () => {
  const shown = describeComparison(model, other, split, comparePredictions(first, second, 3));
  assert.deepEqual(comparisonSchema.parse(shown), shown);
  assert.deepEqual(shown.accuracy, { model: 0.75, other: 0.25, change: 0.5 });
  // Two images are too few for a verdict.
  assert.equal(shown.verdict, 'no-difference');
  assert.equal(
    shown.sentence,
    'shapes@2 does not differ significantly from shapes@1: of 4 images of the test split of shapes, 75.00 % instead of ' +
      "25.00 % are correct (McNemar's test: n10 = 2, n01 = 0, p = 0.5000).",
  );
  assert.deepEqual(
    shown.classes.map(({ change }) => change),
    [0.5, 0.5, null],
  );
  const opposite = describeComparison(other, model, split, comparePredictions(second, first, 3));
  assert.deepEqual(opposite.accuracy, { model: 0.25, other: 0.75, change: -0.5 });
  assert.deepEqual(
    shown.differences.images.map(({ index, image, model: one, other: two }) => [
      index,
      image,
      one.className,
      two.className,
    ]),
    [
      [0, '/pictures/0', 'round', 'square'],
      [2, '/pictures/2', 'square', 'round'],
    ],
  );
});

test('the verdict of a comparison is from the view of the model in the path', () => {
  const many = (logits: number[]) => predictionsFor(Array(8).fill(logits).flat(), Array(8).fill(0), 3);
  const [right, wrong] = [many([3, 0, 0]), many([0, 3, 0])];
  const compare = (...pair: [typeof right, typeof right]) =>
    describeComparison(model, other, split, comparePredictions(...pair, 3));
  assert.equal(compare(right, wrong).verdict, 'better');
  const worse = compare(wrong, right);
  assert.equal(worse.verdict, 'worse');
  assert.match(
    worse.sentence,
    /^shapes@2 is significantly worse than shapes@1: of 8 images .*p = 0\.0078\)\.$/,
  );
  assert.equal(compare(right, right).verdict, 'no-difference');
});

test('a cell of the confusion matrix has two labels of up to 1,000 classes', () => {
  const messages = (query: object) =>
    evaluationCellQuerySchema.safeParse(query).error?.issues.map(({ path, message }) => [...path, message]);
  assert.equal(messages({}), undefined);
  assert.equal(messages({ label: '0', predicted: '999' }), undefined);
  const together = 'label and predicted select a cell of the confusion matrix together; send both or neither';
  for (const one of [{ label: '0' }, { predicted: '0' }])
    assert.deepEqual(messages(one), [['predicted', together]]);
  assert.deepEqual(messages({ label: '1000', predicted: '0' }), [
    ['label', 'must be a whole number from 0 to 999'],
  ]);
});

test('a comparison is with a name, a version or an alias', () => {
  const isAllowed = (other: string) => comparisonQuerySchema.safeParse({ with: other }).success;
  for (const reference of ['a', 'a@1', 'a.b-c_d@best', `${'a'.repeat(64)}@${'b'.repeat(64)}`])
    assert.ok(isAllowed(reference), reference);
  for (const reference of ['', 'A', 'a@', '@1', 'a@1@2', 'a'.repeat(65), `a@${'b'.repeat(65)}`])
    assert.ok(!isAllowed(reference), reference);
});
