import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parameterCount } from '../../../src/numerics/network/layers.ts';
import { createKernelEngine } from '../../../src/numerics/simd/kernel-engine.ts';
import {
  gradientCheckBytes,
  type TrainingSize,
  trainingBytes,
} from '../../../src/numerics/training/memory.ts';
import { settingsOf } from '../fixtures.ts';
import { kernelModule } from '../simd/cases.ts';

const SGD = { type: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 } as const;
const ADAM = { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
const layerSizes = [784, 2048, 2048, 10];
const count = parameterCount(layerSizes);
const plain: TrainingSize = {
  layerSizes,
  batchSize: 64,
  threads: 1,
  optimizer: SGD,
  ema: null,
  mixup: null,
  targetRows: 0,
  keepsBest: false,
  isChecked: false,
};

/** Bytes per parameter that a change adds, rounded, because memory is allocated in pages. */
function added(changes: Partial<TrainingSize>): number {
  return Math.round((10 * (trainingBytes({ ...plain, ...changes }) - trainingBytes(plain))) / count) / 10;
}

test('moments, average and best parameters take 4 bytes per parameter, and again in each copy of a checkpoint', () => {
  assert.equal(added({ optimizer: { ...SGD, momentum: 0.9 } }), 4 + 3 * 4);
  assert.equal(added({ optimizer: ADAM }), 2 * (4 + 3 * 4));
  assert.equal(added({ ema: { decay: 0.9 } }), 4 + 3 * 4);
  assert.equal(added({ keepsBest: true }), 4 + 3 * 4);
});

test('the gradient check before a training adds the copies of the reference and a second kernel', () => {
  assert.ok(added({ isChecked: true }) > 48 + 8 && added({ isChecked: true }) < 48 + 16);
});

test('each thread and each example of a batch add memory', () => {
  const small = { ...plain, layerSizes: [784, 40, 10] };
  const threads = (n: number) => trainingBytes({ ...small, threads: n });
  assert.ok(threads(2) - threads(1) > 2 ** 23);
  assert.ok(Math.abs(threads(64) - threads(1) - 63 * (threads(2) - threads(1))) < 64 * 2 ** 16);
  assert.ok(trainingBytes({ ...small, batchSize: 1024 }) > trainingBytes(small) + 960 * 784);
});

test('mixup adds a second row for each image of a batch', () => {
  const small = { ...plain, layerSizes: [784, 40, 10], batchSize: 1024 };
  const rows = trainingBytes({ ...small, mixup: { alpha: 0.2 } }) - trainingBytes(small);
  assert.ok(rows >= 1024 * 784 && rows < 1024 * 900, String(rows));
});

test('the estimate covers the memory of the kernel', () => {
  for (const optimizer of [SGD, ADAM]) {
    const settings = settingsOf([784, 100, 10], { optimizer, batchSize: 200 });
    const initial = new Float64Array(parameterCount(settings.layerSizes));
    const engine = createKernelEngine(kernelModule, settings, initial, { threads: 3 });
    const { memory } = engine.createHandle(new Uint8Array(784));
    const estimate = trainingBytes({ ...plain, ...settings, threads: 3 });
    assert.ok(estimate > memory.buffer.byteLength + initial.byteLength);
  }
});

test('memory per parameter is between 50 and 140 bytes, as measured', () => {
  // Measured for 784-2048-2048-10, before checkpoints existed: 58 bytes without a gradient check, 96 with one.
  const checkpoints = 3 * 4;
  const each = (changes: Partial<TrainingSize>) => trainingBytes({ ...plain, ...changes }) / count;
  assert.ok(each({}) >= 55 + checkpoints && each({}) <= 65 + checkpoints, String(each({})));
  assert.ok(each({ isChecked: true }) >= 96 && each({ isChecked: true }) <= 125 + checkpoints);
  assert.ok(gradientCheckBytes(layerSizes, 5) / count > 48 + 28);
});
