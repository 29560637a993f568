import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classificationReport } from '../../../src/numerics/evaluation/classification-report.ts';
import { assertNear } from '../fixtures.ts';
import { fixture, predictionsFor } from './fixtures.ts';

const { classes, labels } = fixture;

for (const [i, expected] of fixture.reports.entries()) {
  const report = classificationReport(predictionsFor(expected.logits, labels, classes), classes);

  test(`loss, accuracy and interval equal SciPy's: network ${i}`, () => {
    assert.equal(report.examples, labels.length);
    assert.equal(report.accuracy, expected.accuracy);
    assertNear([report.loss], [expected.loss], 1e-12, 'loss');
    assertNear([report.interval.low, report.interval.high], expected.interval, 1e-12, 'interval');
  });

  test(`the confusion matrix and the scores of each class equal scikit-learn's: network ${i}`, () => {
    assert.deepEqual(report.confusion, expected.confusion);
    for (const [label, { precision, recall, f1, support }] of report.classes.entries()) {
      assertNear([precision, recall, f1, support], expected.classes[label]!, 1e-14, `class ${label}`);
    }
    const { precision, recall, f1 } = report.macro;
    assertNear([precision, recall, f1], expected.macro, 1e-14, 'macro averages');
  });

  test(`classes without images or predictions score 0: network ${i}`, () => {
    assert.deepEqual(report.classes[6], { ...report.classes[6], recall: 0, support: 0 });
    assert.equal(report.classes[5]!.precision, 0);
    assert.ok(report.classes[5]!.support > 0);
  });

  test(`calibration follows its definition: network ${i}`, () => {
    const { expectedError, bins } = report.calibration;
    assertNear([expectedError], [expected.calibration.error], 1e-6, 'expected calibration error');
    assert.equal(bins.length, 15);
    for (const [b, [count, confidence, accuracy]] of expected.calibration.bins.entries()) {
      assert.equal(bins[b]!.count, count);
      assert.equal(bins[b]!.confidence === null, confidence === null);
      assertNear([bins[b]!.confidence ?? 0], [confidence ?? 0], 1e-6, `confidence of bin ${b}`);
      assertNear([bins[b]!.accuracy ?? 0], [accuracy ?? 0], 1e-14, `accuracy of bin ${b}`);
    }
  });

  test(`the most confident mistakes come first: network ${i}`, () => {
    assert.deepEqual(
      report.mistakes.map(({ index }) => index),
      expected.mistakes,
    );
    for (const { index, label, predicted } of report.mistakes) {
      assert.equal(label, labels[index]);
      assert.notEqual(predicted, label);
    }
  });
}

test('lists at most twenty mistakes, and orders equally confident ones by index', () => {
  const logits = Array.from({ length: 30 }, (_, n) => [0, n % 2 === 0 ? 3 : 1]).flat();
  const { mistakes } = classificationReport(predictionsFor(logits, new Array(30).fill(0), 2), 2);
  const expected = Array.from({ length: 20 }, (_, i) => (i < 15 ? 2 * i : 2 * (i - 15) + 1));
  assert.deepEqual(
    mistakes.map(({ index }) => index),
    expected,
  );
});

test('the loss of a confident mistake is the difference of logits, although log(softmax) would be infinite', () => {
  const report = classificationReport(predictionsFor([0, 2000], [0], 2), 2);
  assert.equal(report.loss, 2000);
  assert.deepEqual(report.calibration.bins.at(-1), {
    from: 14 / 15,
    to: 1,
    count: 1,
    confidence: 1,
    accuracy: 0,
  });
});

test('rejects a report on no examples', () => {
  assert.throws(() => classificationReport(predictionsFor([], [], 2), 2), RangeError);
});

test('the most frequent confusions are listed; with more than 100 classes, the matrix is left out', () => {
  const predictions = {
    labels: Uint16Array.of(0, 0, 0, 7, 7, 7, 299, 299),
    predicted: Uint16Array.of(1, 1, 0, 7, 299, 3, 7, 7),
    confidences: new Float32Array(8).fill(0.5),
    losses: new Float64Array(8).fill(1),
  };
  const { confusion, confusions, classes, accuracy } = classificationReport(predictions, 300);
  assert.equal(confusion, null);
  assert.deepEqual([accuracy, classes[299]!.support], [2 / 8, 2]);
  assert.deepEqual(confusions, [
    { label: 299, predicted: 7, count: 2, fraction: 1 },
    { label: 0, predicted: 1, count: 2, fraction: 2 / 3 },
    { label: 7, predicted: 3, count: 1, fraction: 1 / 3 },
    { label: 7, predicted: 299, count: 1, fraction: 1 / 3 },
  ]);
});
