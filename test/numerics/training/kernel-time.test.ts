import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Activation } from '../../../src/numerics/network/activations.ts';
import type { Norm } from '../../../src/numerics/network/architecture.ts';
import { PLAIN_SETTINGS } from '../../../src/numerics/training/engine.ts';
import {
  evaluationMicroseconds,
  type TimedOptions,
  threadedFraction,
  trainingMicroseconds,
} from '../../../src/numerics/training/kernel-time.ts';
import { dense } from '../../support/dense.ts';

/** Network, and seconds of an epoch of 60,000 images in one and two threads, from bench/results/scaling.md. */
function readScaling() {
  const report = readFileSync(new URL('../../../bench/results/scaling.md', import.meta.url), 'utf8');
  const rows = [...report.matchAll(/^\| ([\d-]+), batch \d+ \| [\d,]+ \| ([\d.]+) \| ([\d.]+) \|/gm)];
  assert.ok(rows.length > 10);
  return rows.map(([, network, one, two]) => ({
    sizes: network!.split('-').map(Number),
    one: Number(one),
    two: Number(two),
  }));
}

test('the model of the training time fits the measured scaling of the kernel', () => {
  const errors = readScaling().map(({ sizes, one }) => (0.06 * trainingMicroseconds(dense(sizes))) / one);
  // Up to the speed of the machine.
  assert.ok(Math.max(...errors) / Math.min(...errors) < 1.3, String(errors));
});

test('the model of the gain by a second thread fits the measured one', () => {
  const errors = readScaling().map(
    ({ sizes, one, two }) => (threadedFraction(trainingMicroseconds(dense(sizes)), 2) * one) / two - 1,
  );
  const good = errors.filter((error) => Math.abs(error) <= 0.15);
  assert.ok(good.length / errors.length > 0.85, String(errors));
  assert.equal(threadedFraction(trainingMicroseconds(dense([784, 40, 10])), 1), 1);
  assert.ok(threadedFraction(0.1, 2) <= 1, 'the serial part is at most the whole');
});

test('noise, rotation, mixup, moments and an average take time, the latter two once per step', () => {
  const optimizer = { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
  const { augmentation } = PLAIN_SETTINGS;
  const time = (batchSize: number, changes: Partial<TimedOptions> = {}) =>
    trainingMicroseconds(dense([784, 40, 10]), {
      activation: 'relu',
      batchSize,
      optimizer,
      ema: null,
      augmentation,
      mixup: null,
      ...changes,
    });
  assert.ok(time(64) > trainingMicroseconds(dense([784, 40, 10])));
  assert.ok(time(16) > time(64));
  assert.ok(time(64, { augmentation: { ...augmentation, noise: 0.1 } }) > 2 * time(64));
  assert.ok(time(64, { augmentation: { ...augmentation, rotation: 10 } }) > 1.5 * time(64));
  assert.ok(time(64, { mixup: { alpha: 0.2 } }) > 1.2 * time(64));
  assert.ok(time(64, { ema: { decay: 0.9 } }) > time(64));
});

test('channels are computed in groups of 16, so fewer take as long', () => {
  const network = (channels: number) =>
    ({
      inputShape: [28, 28],
      convolutions: [[channels, channels]],
      norm: 'none',
      hidden: [],
      classes: 10,
    }) as const;
  for (const time of [evaluationMicroseconds, trainingMicroseconds]) {
    assert.equal(time(network(4)), time(network(16)));
    assert.equal(time(network(24)), time(network(32)));
    assert.ok(time(network(32)) > 2 * time(network(16)));
  }
  // 784 positions: 9 inputs, then 9 × 16, to 16 channels; then 196 × 16 values to 10 classes, at 25 ps. A value takes 1.1 ns.
  const multiplyAdds = 784 * 9 * 16 + 784 * 9 * 16 * 16 + 196 * 16 * 10;
  const expected = 0.3 + 25e-6 * multiplyAdds + 1.1e-3 * 2 * 784 * 16;
  assert.ok(Math.abs(evaluationMicroseconds(network(4)) - expected) < 1e-9);
});

/**
 * Microseconds of an image on one thread of an Intel Xeon of 2 GHz, with wide vectors: the fastest of many steps. The model
 * is of a processor that is faster by a sixth.
 */
const MEASURED = [
  { convolutions: [[16]], hidden: [10], relu: 34.3, group: 51, silu: 85.1, both: 101.1 },
  { convolutions: [[16], [32]], hidden: [128], relu: 157.4, group: 192.6, silu: 254.9, both: 287.9 },
  {
    convolutions: [
      [32, 32],
      [64, 64],
    ],
    hidden: [256],
    relu: 2363,
    group: 2450,
    silu: 2682,
    both: 2880,
  },
];

test('the time of networks with convolutions depends on values, group norm and silu as measured', () => {
  const { augmentation } = PLAIN_SETTINGS;
  const optimizer = { type: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 } as const;
  for (const { convolutions, hidden, ...measured } of MEASURED) {
    const time = (norm: Norm, activation: Activation) =>
      trainingMicroseconds(
        { inputShape: [28, 28], convolutions, norm, hidden, classes: 10 },
        { activation, batchSize: 64, optimizer, ema: null, augmentation, mixup: null },
      );
    const ratios = [
      measured.relu / time('none', 'relu'),
      measured.group / time('group', 'relu'),
      measured.silu / time('none', 'silu'),
      measured.both / time('group', 'silu'),
    ];
    for (const ratio of ratios) assert.ok(ratio > 0.95 && ratio < 1.35, `${convolutions}: ${ratios}`);
  }
});

test('only convolutions after the first one take time for the gradient of their inputs', () => {
  const time = (convolutions: number[][], classes: number) =>
    trainingMicroseconds({ inputShape: [28, 28], convolutions, norm: 'none', hidden: [], classes });
  const values = 784 * 16 * 1.8e-3;
  // The fully connected layer takes the same time for each class.
  const first = 2 * time([[16]], 16) - time([[16]], 32) - values;
  // 16 times as many multiply-adds.
  const second = time([[16, 16]], 16) - time([[16]], 16) - values;
  assert.ok(second / 16 > 1.3 * first, `${first}, ${second}`);
});
