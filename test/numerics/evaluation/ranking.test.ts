/** Areas, average precisions and threshold curves against scikit-learn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rankPredictions } from '../../../src/numerics/evaluation/ranking.ts';
import {
  MAX_CURVE_POINTS,
  type ThresholdCurve,
  thresholdCurve,
} from '../../../src/numerics/evaluation/threshold-curve.ts';
import { readFixture } from './fixtures.ts';

type Points = readonly (readonly [threshold: number, truePositives: number, falsePositives: number])[];

interface Case {
  readonly labels: number[];
  readonly probabilities: number[];
  readonly predicted: number[];
  readonly classes: { auc: number | null; precision: number | null; points: Points }[];
  readonly macro: [auc: number | null, precision: number | null];
  readonly micro: [auc: number | null, precision: number | null];
  readonly predictions: Points;
}

/** Ties; a class without images; two classes; equal scores; one class only; more points than are kept. */
const cases = readFixture<Case[]>('rankings.json');

function rank({ labels, predicted, probabilities, classes }: Case) {
  const count = classes.length;
  const confidences = Float32Array.from(predicted, (k, n) => probabilities[n * count + k]!);
  return rankPredictions(
    { labels: Uint8Array.from(labels), predicted: Uint8Array.from(predicted), confidences },
    Float32Array.from(probabilities),
    count,
  );
}

function assertAreas(
  { areaUnderRoc, averagePrecision }: Pick<ThresholdCurve, 'areaUnderRoc' | 'averagePrecision'>,
  [auc, precision]: readonly (number | null)[],
): void {
  for (const [actual, expected] of [
    [areaUnderRoc, auc],
    [averagePrecision, precision],
  ] as const) {
    if (expected === null) assert.equal(actual, null);
    else assert.ok(Math.abs(actual! - expected!) < 1e-12, `${actual} instead of ${expected}`);
  }
}

/** The points are points of the full curve, from none to all, and no point that is left out is far from the one before. */
function assertThinned(curve: ThresholdCurve, full: Points): void {
  const { thresholds, truePositives, falsePositives, positives, negatives } = curve;
  const kept = thresholds.map((threshold, i) => [threshold, truePositives[i], falsePositives[i]]);
  assert.deepEqual(kept[0], [Number.POSITIVE_INFINITY, 0, 0]);
  assert.deepEqual(kept.at(-1), full.at(-1));
  assert.ok(kept.length <= MAX_CURVE_POINTS);
  const position = (tp: number, fp: number) => tp / (positives || 1) + fp / (negatives || 1);
  let [next, last] = [1, 0];
  for (const [threshold, tp, fp] of full) {
    if (thresholds[next] === threshold) {
      assert.deepEqual(kept[next++], [threshold, tp, fp]);
      last = position(tp, fp);
    } else assert.ok(position(tp, fp) - last < 2 / (MAX_CURVE_POINTS - 2));
  }
  assert.equal(next, kept.length);
}

for (const [i, each] of cases.entries()) {
  test(`areas and average precisions equal those of scikit-learn, case ${i}`, () => {
    const { classes, macro, micro } = rank(each);
    for (const [k, expected] of each.classes.entries())
      assertAreas(classes[k]!, [expected.auc, expected.precision]);
    assertAreas(macro, each.macro);
    assertAreas(micro, each.micro);
  });

  test(`curves are those of scikit-learn with few points left out, case ${i}`, () => {
    const { classes, predictions } = rank(each);
    for (const [k, { points }] of each.classes.entries()) assertThinned(classes[k]!, points);
    assertThinned(predictions, each.predictions);
  });
}

test('the fixture has curves with more points than are kept', () => {
  assert.ok(cases.some(({ predictions }) => predictions.length > MAX_CURVE_POINTS));
});

test('a long curve has at most the limit of points, evenly spaced, with the area of all', () => {
  const count = 20_000;
  const positives = Float32Array.from({ length: count }, (_, i) => (i + 0.5) / count);
  const negatives = Float32Array.from({ length: count }, (_, i) => i / count);
  const { thresholds, areaUnderRoc } = thresholdCurve(positives, negatives);
  assert.ok(thresholds.length > MAX_CURVE_POINTS - 5 && thresholds.length <= MAX_CURVE_POINTS);
  // Each positive is above the negatives of its own index and below.
  assert.ok(Math.abs(areaUnderRoc! - (count + 1) / (2 * count)) < 1e-12);
});

test('probabilities that are not numbers count as 0', () => {
  const labels = Uint8Array.from([0, 1]);
  const probabilities = Float32Array.from([1, 0, Number.NaN, Number.NaN]);
  const report = rankPredictions(
    { labels, predicted: Uint8Array.from([0, 0]), confidences: Float32Array.from([1, 0]) },
    probabilities,
    2,
  );
  assert.deepEqual(
    report.classes.map(({ areaUnderRoc }) => areaUnderRoc),
    [1, 0.5],
  );
});
