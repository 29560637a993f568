import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { PLAIN_OBJECTIVE } from '../../src/numerics/engine.ts';
import { type TimedOptions, trainingMicroseconds } from '../../src/numerics/kernel-time.ts';

test('the model of the training time fits the measured scaling of the kernel', () => {
  const report = readFileSync(new URL('../../bench/results/scaling.md', import.meta.url), 'utf8');
  // Network, batch, multiply-adds, seconds of an epoch of 60,000 images in one thread.
  const rows = [...report.matchAll(/^\| ([\d-]+), batch \d+ \| [\d,]+ \| ([\d.]+) \|/gm)];
  assert.ok(rows.length > 10);
  const errors = rows.map(
    ([, network, seconds]) =>
      (0.06 * trainingMicroseconds(network!.split('-').map(Number))) / Number(seconds),
  );
  // Up to the speed of the machine.
  assert.ok(Math.max(...errors) / Math.min(...errors) < 1.3, String(errors));
});

test('noise, mixup, moments and an average take time, the latter two once per step', () => {
  const optimizer = { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
  const { augmentation } = PLAIN_OBJECTIVE;
  const time = (batchSize: number, changes: Partial<TimedOptions> = {}) =>
    trainingMicroseconds([784, 40, 10], {
      batchSize,
      optimizer,
      ema: null,
      augmentation,
      mixup: null,
      ...changes,
    });
  assert.ok(time(64) > trainingMicroseconds([784, 40, 10]));
  assert.ok(time(16) > time(64));
  assert.ok(time(64, { augmentation: { ...augmentation, noise: 0.1 } }) > 2 * time(64));
  assert.ok(time(64, { mixup: { alpha: 0.2 } }) > 1.2 * time(64));
  assert.ok(time(64, { ema: { decay: 0.9 } }) > time(64));
});
