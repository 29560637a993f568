import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparePredictions } from '../../../src/numerics/evaluation/comparison.ts';
import { mcnemar } from '../../../src/numerics/evaluation/mcnemar.ts';
import { fixture, predictionsFor } from './fixtures.ts';

const { classes, labels } = fixture;
const [first, second] = fixture.reports.map(({ logits }) => predictionsFor(logits, labels, classes)) as [
  ReturnType<typeof predictionsFor>,
  ReturnType<typeof predictionsFor>,
];

test('the four counts cover all images and agree with the accuracy of each network', () => {
  const { examples, counts, classes: perClass, mcnemar: result } = comparePredictions(first, second, classes);
  const right = fixture.reports.map(({ accuracy }) => Math.round(accuracy * labels.length));
  assert.equal(examples, labels.length);
  assert.equal(counts.n00 + counts.n01 + counts.n10 + counts.n11, labels.length);
  assert.deepEqual([counts.n10 + counts.n11, counts.n01 + counts.n11], right);
  assert.ok(counts.n10 > 0 && counts.n01 > 0);
  assert.deepEqual(result, mcnemar(counts.n10, counts.n01));
  for (const [label, { support, first: one, second: other }] of perClass.entries()) {
    const [expected, expectedOther] = fixture.reports.map(({ confusion }) => confusion[label]![label]!);
    assert.deepEqual(
      [support, one, other],
      [fixture.reports[0]!.classes[label]![3], expected, expectedOther],
    );
  }
});

test('swapping the networks swaps their figures', () => {
  const one = comparePredictions(first, second, classes);
  const other = comparePredictions(second, first, classes);
  assert.deepEqual(other.counts, { ...one.counts, n01: one.counts.n10, n10: one.counts.n01 });
  assert.deepEqual(other.mcnemar, one.mcnemar);
  assert.equal(other.differences.total, one.differences.total);
});

test('lists the first hundred images with different predictions, even if both are wrong', () => {
  const { differences } = comparePredictions(first, second, classes);
  const differing = labels.flatMap((label, index) => {
    const [one, other] = [first.predicted[index]!, second.predicted[index]!];
    return one === other ? [] : [{ index, label, first: one, second: other }];
  });
  assert.ok(differing.length > 100);
  assert.ok(differing.some(({ label, first: one, second: other }) => one !== label && other !== label));
  assert.deepEqual(differences, { total: differing.length, first: differing.slice(0, 100) });
});

test('a network does not differ from itself', () => {
  const { counts, differences, mcnemar: result } = comparePredictions(first, first, classes);
  assert.deepEqual([counts.n01, counts.n10, differences.total, result.pValue], [0, 0, 0, 1]);
});

test('rejects predictions for other images', () => {
  const { logits } = fixture.reports[0]!;
  const fewer = predictionsFor(logits.slice(0, classes), labels.slice(0, 1), classes);
  assert.throws(() => comparePredictions(first, fewer, classes), RangeError);
});
