import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { principalComponents } from '../../../src/numerics/sgd-path/principal-components.ts';
import { type PlanePath, planePath, snapshotSteps } from '../../../src/numerics/sgd-path/projection.ts';
import { createKernelForward } from '../../../src/numerics/simd/kernel-forward.ts';
import { kernelModule } from '../../../src/workers/kernel/compile.ts';
import { dense } from '../../support/dense.ts';
import { assertNear, examplesOf, firstIndices } from '../fixtures.ts';

/** Expected numbers of scripts/fixtures/sgd_path.py: scikit-learn's PCA, and losses by NumPy. */
const file = new URL('../../fixtures/numerics/sgd-path.json', import.meta.url);
const fixture: PlanePath & {
  readonly sizes: number[];
  readonly pixels: number[];
  readonly labels: number[];
  readonly totalSteps: number;
  readonly count: number;
  readonly grid: number;
  readonly margin: number;
  readonly steps: number[];
  readonly snapshots: number[][];
  readonly mean: number[];
  readonly components: number[][];
} = JSON.parse(readFileSync(file, 'utf8'));
const snapshots = fixture.snapshots.map((snapshot) => Float32Array.from(snapshot));
const TOLERANCE = 1e-5;

test("components, variances and coordinates equal scikit-learn's", () => {
  const { mean, components, coordinates, explainedVariance } = principalComponents(snapshots, 2);
  assertNear(mean, fixture.mean, TOLERANCE, 'mean');
  assertNear(explainedVariance, fixture.explainedVariance, TOLERANCE, 'explained variance');
  for (const [k, name] of (['x', 'y'] as const).entries()) {
    assertNear(components[k]!, fixture.components[k]!, TOLERANCE, `component ${name}`);
    const expected = fixture.points.map((point) => point[name]);
    assertNear(coordinates[k]!, expected, TOLERANCE, `coordinates ${name}`);
  }
});

test("losses of the path and of the surface equal NumPy's", () => {
  const { sizes, labels } = fixture;
  const examples = examplesOf(fixture);
  const indices = firstIndices(labels.length);
  const forward = createKernelForward(kernelModule, dense(sizes), 'relu', snapshots[0]!, null);
  const { points, surface } = planePath(snapshots, fixture, (parameters) => {
    const sums = { loss: 0, correct: 0 };
    forward.load(parameters);
    forward.evaluate(sums, examples, indices);
    return sums.loss / labels.length;
  });
  for (const name of ['x', 'y', 'loss', 'planeLoss'] as const) {
    const [found, expected] = [points, fixture.points].map((each) => each.map((point) => point[name]));
    assertNear(found!, expected!, TOLERANCE, name);
  }
  assertNear(surface.x, fixture.surface.x, TOLERANCE, 'grid x');
  assertNear(surface.y, fixture.surface.y, TOLERANCE, 'grid y');
  assertNear(surface.loss.flat(), fixture.surface.loss.flat(), TOLERANCE, 'surface');
});

test('snapshots are dense at the start, and each step is taken once', () => {
  assert.deepEqual(snapshotSteps(fixture.totalSteps, fixture.count), fixture.steps);
  assert.deepEqual(snapshotSteps(2, 5), [0, 1, 2]);
});

test('a path along a line, and one that stays in place, have a plane without NaN', () => {
  const line = [0, 1, 3].map((t) => Float32Array.of(1 + t, 2 - 2 * t, 0));
  const [along, still] = [line, [line[0]!, line[0]!, line[0]!]].map((path) =>
    planePath(path, { grid: 2, margin: 0.5 }, ([first]) => first!),
  );
  assertNear(along!.explainedVariance, [1, 0], 1e-12, 'variance of a line');
  assert.deepEqual(
    along!.points.map(({ y }) => y),
    [0, 0, 0],
  );
  assertNear(
    along!.points.map(({ planeLoss }) => planeLoss),
    [1, 2, 4],
    1e-12,
    'the plane contains the line',
  );
  const numbers = [still!.explainedVariance, still!.points.map(Object.values), Object.values(still!.surface)];
  assert.ok(numbers.flat(3).every(Number.isFinite), JSON.stringify(still));
});
