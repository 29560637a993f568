import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDistance, fitNeighbours } from '../../../src/numerics/calibration/neighbours.ts';
import {
  findOutliers,
  fitOutliers,
  type Observed,
  type OutlierModel,
  scoreOutliers,
} from '../../../src/numerics/calibration/outliers.ts';
import { assertNear } from '../fixtures.ts';
import { type OutlierFixture, readFixture, toObserved } from './fixtures.ts';

const fixture = readFixture<OutlierFixture>('outliers.json');
const { inputs, classes } = fixture;
const [training, calibration, probes] = [fixture.training, fixture.calibration, fixture.probes].map(
  toObserved,
) as [ReturnType<typeof toObserved>, ReturnType<typeof toObserved>, ReturnType<typeof toObserved>];
const model = fitOutliers(training, calibration, inputs, classes);
const find = (fitted: OutlierModel, coverage: number, observed: Observed) =>
  findOutliers(fitted, coverage, scoreOutliers(fitted, observed, inputs, classes));

test("the three scores equal those of scikit-learn's components and neighbours", () => {
  assert.equal(model.scores.length, fixture.scores.length);
  for (const [s, scores] of model.scores.entries())
    assertNear(scores, fixture.scores[s]!, 1e-5, `scores ${s}`);
});

test("the combined score finds the outliers that SciPy's finds, fewer at higher coverages", () => {
  assertNear(model.combined, fixture.combined, 1e-6, 'combined scores');
  const numbers = fixture.cases.map(({ coverage, outliers }) => {
    assert.deepEqual(find(model, coverage, probes), outliers, `${coverage}`);
    return outliers.filter(Boolean).length;
  });
  assert.ok(numbers[0] === numbers[1] && numbers[1]! > numbers.at(-1)!, numbers.join());
});

test('an image is judged alone as in a batch', () => {
  const n = 30;
  const alone = {
    pixels: probes.pixels.subarray(n * inputs, (n + 1) * inputs),
    logits: probes.logits.subarray(n * classes, (n + 1) * classes),
    hidden: probes.hidden.subarray(n * 6, (n + 1) * 6),
  };
  const { coverage, outliers } = fixture.cases[0]!;
  assert.deepEqual(find(model, coverage, alone), [outliers[n]]);
});

test('a constant image is an outlier unless such images are usual', () => {
  const blank = { ...calibration, pixels: calibration.pixels.slice() };
  for (let n = 0; n < 3; n++) blank.pixels.fill(n, n * inputs, (n + 1) * inputs);
  const withBlank = fitOutliers(training, blank, inputs, classes);
  const one = {
    pixels: new Uint8Array(inputs),
    logits: probes.logits.subarray(0, classes),
    hidden: probes.hidden.subarray(0, 6),
  };
  assert.deepEqual(find(model, 0.99, one), [true]);
  // They are 3 of 120.
  assert.deepEqual(find(withBlank, 0.99, one), [false]);
  assert.deepEqual(find(withBlank, 0.9, one), [true]);
});

test('every image that is not constant is an outlier if all calibration images are constant', () => {
  const pixels = calibration.pixels.map((_, i) => Math.floor(i / inputs));
  const constant = fitOutliers(training, { ...calibration, pixels }, inputs, classes);
  const found = find(constant, 0.9, probes);
  assert.ok(found.filter(Boolean).length >= found.length - 1, found.join());
});

test('an image whose logits overflow is an outlier', () => {
  const one = {
    pixels: probes.pixels.subarray(0, inputs),
    logits: new Float32Array(classes).fill(Number.NaN),
    hidden: probes.hidden.subarray(0, 6),
  };
  assert.deepEqual(find(model, 0.9, one), [true]);
});

test('a network without hidden values has two scores', () => {
  const without = (observed: typeof training) => ({ ...observed, hidden: new Float32Array(0) });
  const { scores, spaces } = fitOutliers(without(training), without(calibration), inputs, classes);
  assert.deepEqual([scores.length, spaces.length], [2, 1]);
});

test('equal training images have no components, and the distance is the residual', () => {
  const distance = createDistance(fitNeighbours(new Uint8Array(8 * 4).fill(10), 4));
  assert.equal(distance(Uint8Array.of(10, 10, 10, 14)), 16);
});
