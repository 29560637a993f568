import assert from 'node:assert/strict';
import { test } from 'node:test';
import { computeSgdPath, type SgdPathTask } from '../../../src/workers/tasks/sgd-path.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { planOf } from '../../numerics/fixtures.ts';
import { dense } from '../../support/dense.ts';

const architecture = dense([4, 2]);
/** Sorted by class: six images of class 0, and two of class 1. */
const train = {
  pixels: Uint8Array.from({ length: 4 * 8 }, (_, i) => (i * 89 + (i >> 2) * 7) % 256),
  labels: Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 1),
};

/** Two epochs of four steps, from a network whose logits are 0 and `bias` for every image. */
function taskOf(bias: number, changes: Partial<SgdPathTask> = {}): SgdPathTask {
  const initialParameters = Float32Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, bias);
  const plan = planOf(architecture, { initialParameters, epochs: 2, batchSize: 2 });
  return { plan, train, steps: 8, snapshots: 3, grid: 2, examples: 4, margin: 0.5, ...changes };
}

test('a path begins before the first step, and each snapshot names its step and epoch', () => {
  const { points, examples } = computeSgdPath(taskOf(1));
  assert.deepEqual(
    points.map(({ step, epoch }) => [step, epoch]),
    [
      [0, 0],
      [2, 1],
      [8, 2],
    ],
  );
  assert.equal(examples, 4);
});

test('losses are means over images that are evenly spread over the training split', () => {
  const lossAt = (examples: number) => computeSgdPath(taskOf(1, { examples })).points[0]!.loss;
  const [zero, one] = [Math.log(1 + Math.E), Math.log(1 + 1 / Math.E)];
  // Images 0, 2, 4 and 6, then all, then images 0, 2 and 5.
  for (const [examples, expected] of [
    [4, (3 * zero + one) / 4],
    [8, (6 * zero + 2 * one) / 8],
    [3, zero],
  ] as const)
    assert.ok(Math.abs(lossAt(examples) - expected) < 1e-6, `${examples}: ${lossAt(examples)}`);
});

test('a path is refused if the plane reaches weights whose loss is not finite', () => {
  assert.throws(
    () => computeSgdPath(taskOf(1, { margin: 1e39 })),
    isAtelierError('impossible-request', /loss in the plane of this path is (NaN|Infinity) at one point/),
  );
});
