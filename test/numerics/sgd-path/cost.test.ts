import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  planeSeconds,
  retrainingSeconds,
  type SgdPathPlan,
  sgdPathBytes,
} from '../../../src/numerics/sgd-path/cost.ts';
import { forwardBytes } from '../../../src/numerics/simd/kernel-forward.ts';
import { evaluationMicroseconds, trainingMicroseconds } from '../../../src/numerics/training/kernel-time.ts';
import { trainingBytes } from '../../../src/numerics/training/memory.ts';
import { dense } from '../../support/dense.ts';
import { planOf } from '../fixtures.ts';

/** Of 31,810 parameters. */
const architecture = dense([784, 40, 10]);
const plan = planOf(architecture, { batchSize: 100, holdout: { fraction: 0.2 } });

/** A path with as many images as given, in two classes. */
const pathOf = (images: number, changes: Partial<SgdPathPlan> = {}): SgdPathPlan => ({
  plan,
  train: { pixels: new Uint8Array(), labels: Uint8Array.from({ length: images }, (_, n) => n % 2) },
  ...{ steps: 20, snapshots: 100, grid: 25, examples: 0 },
  ...changes,
});
const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual / expected - 1) < 1e-12, `${actual} instead of ${expected}`);

test('a training again takes its steps, and measures held out and a thousand training images after each epoch', () => {
  const [trained, evaluated] = [
    trainingMicroseconds(architecture, plan),
    evaluationMicroseconds(architecture),
  ];
  // 8 steps an epoch, so 3 epochs that each measure 200 + 800 images.
  near(retrainingSeconds(pathOf(1000)), (2000 * trained + 3 * 1000 * evaluated) / 1e6);
  // Three whole epochs of 9 steps, of which the last has 20 images: 500 + 1024 images are measured for 2500.
  near(retrainingSeconds(pathOf(1025, { steps: 27 })), (3 * 820 * trained + 3 * 1025 * evaluated) / 1e6);
  near(retrainingSeconds(pathOf(2500)), (2000 * trained + 1524 * evaluated) / 1e6);
});

test('the plane takes the products of snapshots, and a measurement for each point and twice for each snapshot', () => {
  // 31,810 · 100² / 2 products of 1.5 ns, and 25² + 2 · 100 points of 31,810 parameters at 3 ns.
  near(planeSeconds(pathOf(10)), (238_575 + 825 * 95.43) / 1e6);
  const perImage = evaluationMicroseconds(architecture);
  near(planeSeconds(pathOf(10, { examples: 7 })), (238_575 + 825 * (95.43 + 7 * perImage)) / 1e6);
});

test('memory holds the training, float32 snapshots, six float64 vectors and a kernel for the losses', () => {
  const others = trainingBytes(architecture, plan, 10) + forwardBytes(architecture);
  assert.equal(sgdPathBytes(pathOf(10)), others + 31_810 * (400 + 48));
});
