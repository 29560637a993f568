import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Architecture, parameterCount } from '../../../src/numerics/network/architecture.ts';
import { createKernelEngine } from '../../../src/numerics/simd/kernel-engine.ts';
import { forwardBytes } from '../../../src/numerics/simd/kernel-forward.ts';
import { layOut } from '../../../src/numerics/simd/layout.ts';
import { PLAIN_SETTINGS } from '../../../src/numerics/training/engine.ts';
import {
  gradientCheckBytes,
  type SizedOptions,
  trainingBytes,
  trainingThreadBytes,
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

const MIB = 2 ** 20;
const PAGE = 65_536;
const CONVOLUTIONAL = { ...dense([64, 5]), inputShape: [8, 8] as const, convolutions: [[16]] };

/** Bytes of the kernel's own memory for these options. */
function kernelOf(network: Architecture, records: number, threads: number, changes = {}): number {
  const training = { ...PLAIN_SETTINGS, targetRows: 0, ...changes };
  return layOut({ architecture: network, records, threads, training }).pages * PAGE;
}

test('the first thread of a training takes 56 MiB, and each further one 30', () => {
  assert.equal(trainingThreadBytes(1), 56 * MIB);
  assert.equal(trainingThreadBytes(3), 116 * MIB);
});

test('a plain training has 48 bytes per parameter besides its thread and both kernels', () => {
  const network = dense(SMALL);
  assert.equal(parameterCount(network), 31_810);
  const kernels = kernelOf(network, 64, 1) + forwardBytes(network);
  // float64: initial and evaluated parameters; float32: published ones, four copies, and three of a checkpoint.
  const own = 31_810 * (2 * 8 + 5 * 4 + 3 * 4);
  assert.equal(trainingBytes(network, plain, EXAMPLES), 56 * MIB + own + kernels);
  // One thread and no check by default.
  const explicit = trainingBytes(network, plain, EXAMPLES, { threads: 1, isChecked: false });
  assert.equal(trainingBytes(network, plain, EXAMPLES), explicit);
});

test('a training with every option has its moments, average, best parameters and targets', () => {
  const network = dense(SMALL);
  const options = {
    ...plain,
    optimizer: ADAM,
    ema: { decay: 0.9 },
    distillation: {},
    earlyStopping: { restoreBest: true },
  };
  const kernel = kernelOf(network, 64, 2, { optimizer: ADAM, ema: options.ema, targetRows: EXAMPLES });
  // Two moments, the average and the best parameters: four more vectors in each checkpoint.
  const own = 31_810 * (2 * 8 + 6 * 4 + 3 * 5 * 4);
  const expected = 86 * MIB + own + kernel + forwardBytes(network) + EXAMPLES * 10 * 4;
  assert.equal(trainingBytes(network, options, EXAMPLES, { threads: 2 }), expected);
  // The check: five vectors of float64, two of float32, and a plain kernel that has the targets.
  const check = 31_810 * (5 * 8 + 2 * 4) + kernelOf(network, 64, 1, { targetRows: EXAMPLES });
  assert.equal(trainingBytes(network, options, EXAMPLES, { threads: 2, isChecked: true }), expected + check);
});

test('early stopping that keeps the last parameters takes no more memory', () => {
  const without = trainingBytes(dense(SMALL), plain, EXAMPLES);
  const last = { ...plain, earlyStopping: { restoreBest: false } };
  assert.equal(trainingBytes(dense(SMALL), last, EXAMPLES), without);
});

test('a gradient check has 76 bytes per parameter, and 24 per value of each volume of its images and passes', () => {
  // The kernels of 16 channels; 4×4×16 values to 5 classes.
  const parameters = 16 * 9 + 16 + 5 * 256 + 5;
  assert.equal(parameterCount(CONVOLUTIONAL), parameters);
  // 8×8×16 of the convolution and 4×4×16 of its pooling, of 7 images and 4 passes.
  const volumes = (7 + 4) * (1024 + 256) * 24;
  const expected = 56 * MIB + parameters * (28 + 48) + volumes + kernelOf(CONVOLUTIONAL, 7, 1);
  assert.equal(gradientCheckBytes(CONVOLUTIONAL, 7), expected);
});
