import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trainingRequestSchema } from '../../../src/domain/jobs/request.ts';
import { preflightCost } from '../../../src/numerics/checks/cost.ts';
import type { Architecture } from '../../../src/numerics/network/architecture.ts';
import { evaluationMicroseconds, trainingMicroseconds } from '../../../src/numerics/training/kernel-time.ts';
import {
  epochMs,
  gradientCheckSeconds,
  modelledEpochSeconds,
  modelledSeconds,
  modelledTimes,
  startSeconds,
  totalMs,
  trainedCount,
} from '../../../src/services/preview/time-model.ts';
import { dense } from '../../support/dense.ts';

const imagesOf = (count: number) => ({
  pixels: new Uint8Array(0),
  labels: Uint8Array.from({ length: count }, (_, n) => n % 2),
});
const dataset = {
  id: 'd',
  imageShape: [28, 28] as const,
  classNames: ['a', 'b'],
  digest: '',
  train: imagesOf(2000),
  validation: null,
  learning: imagesOf(2000),
  test: imagesOf(100),
};
const request = (options: object = {}) =>
  trainingRequestSchema.parse({ dataset: 'd', network: { hidden: [10] }, ...options });
// 784 · 10 + 10 + 10 · 2 + 2 parameters
const architecture = dense([784, 10, 2]);
const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} instead of ${expected}`);

test('an epoch trains on the images that are not held out, and measures those, the test and the dead units', () => {
  assert.equal(trainedCount(request(), dataset), 1800);
  const times = { training: 2, evaluation: 3 };
  const { steps, evaluation } = epochMs(request(), dataset, times);
  near(steps, 3.6);
  near(evaluation, (3 * (200 + 100 + 1024)) / 1000);
  near(totalMs({ steps, evaluation }), steps + evaluation);
  near(epochMs(request({ testSet: 'once' }), dataset, times).evaluation, (3 * (200 + 1024)) / 1000);
  const few = { ...dataset, train: imagesOf(1000) };
  near(epochMs(request(), few, times).evaluation, (3 * (100 + 100 + 900)) / 1000);
});

test('without a timing, an image takes the time of the model of the kernel', () => {
  const { training, network } = request();
  const times = {
    training: trainingMicroseconds(architecture, { ...training, activation: network.activation }),
    evaluation: evaluationMicroseconds(architecture),
  };
  assert.deepEqual(modelledTimes(request(), dataset), times);
  near(modelledEpochSeconds(request(), dataset), (1800 * times.training + 1324 * times.evaluation) / 1e6);
  const progress = { epoch: 0, epochs: 1, step: 0, steps: 50, fraction: 0 };
  const job = { network, training, progress: { ...progress, imagesPerSecond: null, etaSeconds: null } };
  near(modelledSeconds(job, architecture), 0.15 + (50 * 64 * times.training) / 1e6);
});

test('the start takes a constant and a time per parameter, and the gradient check one of convolutions, too', () => {
  near(startSeconds(architecture, request().training), 0.15 + 7872 * 1.2e-7);
  near(gradientCheckSeconds(architecture), 0.015 + 7872 * 5e-8);
  const convolved: Architecture = { ...architecture, convolutions: [[4]], hidden: [] };
  // 4 · 9 + 4 + 4 · 14 · 14 · 2 + 2 parameters
  near(gradientCheckSeconds(convolved), 0.015 + 1610 * 5e-8 + 1.5e-9 * preflightCost(convolved));
});
