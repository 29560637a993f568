import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parameterCount } from '../../../src/numerics/network/architecture.ts';
import { createKernelEngine } from '../../../src/numerics/simd/kernel-engine.ts';
import { PLAIN_SETTINGS } from '../../../src/numerics/training/engine.ts';
import {
  gradientCheckBytes,
  type SizedOptions,
  trainingBytes,
} from '../../../src/numerics/training/memory.ts';
import { dense } from '../../support/dense.ts';
import { settingsOf } from '../fixtures.ts';
import { kernelModule } from '../simd/cases.ts';

const SGD = { type: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 } as const;
const ADAM = { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
const architecture = dense([784, 2048, 2048, 10]);
const SMALL = [784, 40, 10];
const count = parameterCount(architecture);
const plain: SizedOptions = { ...PLAIN_SETTINGS, batchSize: 64, earlyStopping: null };
const EXAMPLES = 1000;

function bytesOf(changes: Partial<SizedOptions> = {}, isChecked = false): number {
  return trainingBytes(architecture, { ...plain, ...changes }, EXAMPLES, { isChecked });
}

/** Bytes per parameter that a change adds, rounded, because memory is allocated in pages. */
function added(changes: Partial<SizedOptions>, isChecked = false): number {
  return Math.round((10 * (bytesOf(changes, isChecked) - bytesOf())) / count) / 10;
}

test('moments, average and best parameters take 4 bytes per parameter, and again in each copy of a checkpoint', () => {
  assert.equal(added({ optimizer: { ...SGD, momentum: 0.9 } }), 4 + 3 * 4);
  assert.equal(added({ optimizer: ADAM }), 2 * (4 + 3 * 4));
  assert.equal(added({ ema: { decay: 0.9 } }), 4 + 3 * 4);
  assert.equal(added({ earlyStopping: { restoreBest: true } }), 4 + 3 * 4);
});

test('the gradient check before a training adds the copies of the reference and a second kernel', () => {
  assert.ok(added({}, true) > 48 + 8 && added({}, true) < 48 + 16);
});

test('each thread and each example of a batch add memory', () => {
  const threads = (n: number) => trainingBytes(dense(SMALL), plain, EXAMPLES, { threads: n });
  assert.ok(threads(2) - threads(1) > 2 ** 23);
  assert.ok(Math.abs(threads(64) - threads(1) - 63 * (threads(2) - threads(1))) < 64 * 2 ** 16);
  assert.ok(trainingBytes(dense(SMALL), { ...plain, batchSize: 1024 }, EXAMPLES) > threads(1) + 960 * 784);
});

test('mixup adds a second row for each image of a batch', () => {
  const large = { ...plain, batchSize: 1024 };
  const mixed = trainingBytes(dense(SMALL), { ...large, mixup: { alpha: 0.2 } }, EXAMPLES);
  const rows = mixed - trainingBytes(dense(SMALL), large, EXAMPLES);
  assert.ok(rows >= 1024 * 784 && rows < 1024 * 900, String(rows));
});

test('teachers add a row of targets for each training image, once more in the kernel', () => {
  const taught = trainingBytes(dense(SMALL), { ...plain, distillation: {} }, 60_000);
  const rows = taught - trainingBytes(dense(SMALL), plain, 60_000);
  // Rows of the kernel are whole pairs of vectors.
  const expected = 60_000 * 4 * (10 + 16);
  // The memory of a kernel has whole pages of 64 KiB.
  assert.ok(Math.abs(rows - expected) < 2 ** 17, String(rows));
});

test('the estimate covers the memory of the kernel', () => {
  for (const optimizer of [SGD, ADAM]) {
    const settings = settingsOf(dense([784, 100, 10]), { optimizer, batchSize: 200 });
    const initial = new Float64Array(parameterCount(settings.architecture));
    const engine = createKernelEngine(kernelModule, settings, initial, { threads: 3 });
    const { memory } = engine.createHandle(new Uint8Array(784));
    const estimate = trainingBytes(settings.architecture, { ...plain, ...settings }, EXAMPLES, {
      threads: 3,
    });
    assert.ok(estimate > memory.buffer.byteLength + initial.byteLength);
  }
});

test('memory per parameter is between 50 and 140 bytes, as measured', () => {
  // Measured for 784-2048-2048-10, before checkpoints existed: 58 bytes without a gradient check, 96 with one.
  const checkpoints = 3 * 4;
  const [each, checked] = [bytesOf() / count, bytesOf({}, true) / count];
  assert.ok(each >= 55 + checkpoints && each <= 65 + checkpoints, String(each));
  assert.ok(checked >= 96 && checked <= 125 + checkpoints, String(checked));
  assert.ok(gradientCheckBytes(architecture, 5) / count > 48 + 28);
});

test('a gradient check keeps the volumes of convolutions for each image', () => {
  const convolutional = (examples: number) => {
    const network = { ...dense([64, 5]), inputShape: [8, 8] as const, convolutions: [[16]] };
    return gradientCheckBytes(network, examples);
  };
  // At least the output of the convolution, 8×8×16, and of its pooling, 4×4×16, as float64.
  const [one, thousand] = [convolutional(1), convolutional(1001)];
  assert.ok(thousand - one > 1000 * (1024 + 256) * 8, `${thousand - one}`);
  assert.ok(thousand - one < 1000 * 100_000, `${thousand - one}`);
});
