import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCalibration } from '../../../src/formats/arrays/calibration.ts';
import { measureCoverage } from '../../../src/numerics/calibration/coverage.ts';
import { findOutliers, scoreOutliers } from '../../../src/numerics/calibration/outliers.ts';
import { rankPredictions } from '../../../src/numerics/evaluation/ranking.ts';
import { initialize } from '../../../src/numerics/network/initialize.ts';
import { createForward, type ServedNetwork } from '../../../src/workers/kernel/compile.ts';
import { calibrateNetwork } from '../../../src/workers/tasks/calibrate.ts';
import {
  averageProbabilities,
  compareNetworks,
  compareOnHeldOut,
  findHeldOut,
  measureNetworkCoverage,
  rankExamples,
} from '../../../src/workers/tasks/evaluate.ts';
import { dense } from '../../support/dense.ts';

const architecture = dense([4, 3, 2]);
const [network, other] = [1, 2].map(
  (seed): ServedNetwork => ({
    reference: { name: 'small', version: seed },
    architecture,
    activation: 'relu',
    standardization: null,
    parameters: Float32Array.from(initialize('he', architecture, seed)),
    classNames: ['even', 'odd'],
  }),
) as [ServedNetwork, ServedNetwork];
const examples = {
  pixels: Uint8Array.from({ length: 4 * 200 }, (_, i) => (i * 89 + (i >> 2) * 7) % 256),
  labels: Uint8Array.from({ length: 200 }, (_, n) => n % 2),
};

test('networks are compared on the images that all of their trainings held out', () => {
  const splits = [
    { seed: 3, holdout: { fraction: 0.5 }, examples: 200 },
    { seed: 4, holdout: { fraction: 0.5 }, examples: 200 },
  ];
  const common = findHeldOut(examples.labels, splits);
  const [first, second] = splits.map((split) => findHeldOut(examples.labels, [split]));
  assert.deepEqual(
    common,
    first!.filter((n) => second!.includes(n)),
  );
  assert.ok(common.length > 20 && common.length < 80, `${common.length} images`);
  const chosen = {
    pixels: Uint8Array.from(common.flatMap((n) => [...examples.pixels.subarray(4 * n, 4 * n + 4)])),
    labels: Uint8Array.from(common, (n) => examples.labels[n]!),
  };
  assert.deepEqual(
    compareOnHeldOut({ network, other, examples, splits }),
    compareNetworks({ network, other, examples: chosen }),
  );
  assert.equal(
    compareOnHeldOut({ network, other, examples, splits: [{ seed: 3, holdout: null, examples: 200 }] }),
    null,
  );
});

test('the probabilities of several teachers are averaged', () => {
  const average = (...teachers: ServedNetwork[]) => averageProbabilities({ teachers, examples });
  const [one, two, both] = [average(network), average(other), average(network, other)];
  assert.equal(both.length, 400);
  for (const [i, p] of both.entries()) assert.ok(Math.abs(p - (one[i]! + two[i]!) / 2) < 1e-6);
  assert.ok(both.some((p, i) => Math.abs(p - one[i]!) > 1e-3));
});

/** More images than one pass through a network takes, and the outputs of a single pass. */
function manyImages() {
  const count = 1200;
  const pixels = Uint8Array.from({ length: 4 * count }, (_, i) => (i * 89 + (i >> 2) * 7) % 256);
  const labels = Uint8Array.from({ length: count }, (_, n) => n % 2);
  const outputs = {
    pixels,
    logits: new Float32Array(2 * count),
    probabilities: new Float32Array(2 * count),
    hidden: new Float32Array(3 * count),
  };
  createForward(network)(outputs.logits, outputs.probabilities, pixels, outputs.hidden);
  return { examples: { pixels, labels }, outputs };
}

test('the ranking of many images is that of all their probabilities', () => {
  const { examples: many, outputs } = manyImages();
  const pairs = Array.from(many.labels, (_, n) => [...outputs.probabilities.subarray(2 * n, 2 * n + 2)]);
  const predictions = {
    labels: many.labels,
    predicted: Uint8Array.from(pairs, ([even, odd]) => (odd! > even! ? 1 : 0)),
    confidences: Float32Array.from(pairs, (pair) => Math.max(...pair)),
  };
  assert.deepEqual(
    rankExamples({ network, examples: many }),
    rankPredictions(predictions, outputs.probabilities, 2),
  );
});

test('the measured coverage of many images is that of all their outputs', () => {
  const { examples: many, outputs } = manyImages();
  const { file } = calibrateNetwork({ network, train: examples, source: 'train' });
  const calibration = parseCalibration(file);
  const scores = scoreOutliers(calibration.outliers, outputs, 4, 2);
  const expected = measureCoverage(
    calibration,
    outputs.logits,
    outputs.probabilities,
    (coverage) => findOutliers(calibration.outliers, coverage, scores),
    many.labels,
  );
  assert.deepEqual(measureNetworkCoverage({ network, examples: many, calibration }), expected);
});
