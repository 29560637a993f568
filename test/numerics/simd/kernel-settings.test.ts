import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKernel } from '../../../src/numerics/simd/kernel.ts';
import { writeSettings } from '../../../src/numerics/simd/kernel-settings.ts';
import { layOut } from '../../../src/numerics/simd/layout.ts';
import type { EngineSettings } from '../../../src/numerics/training/engine.ts';
import { dense } from '../../support/dense.ts';
import { kernelModule, SGD, settingsOf, UNCHANGED } from './cases.ts';

/** The kernel of a small network, after its settings have been written. */
function written(changes: Partial<EngineSettings> = {}, targetRows = 0) {
  const settings = settingsOf({ architecture: dense([63, 3], [7, 9]), ...changes });
  const training = { ...settings, targetRows };
  const layout = layOut({ architecture: settings.architecture, records: 10, threads: 1, training });
  const kernel = createKernel(kernelModule, {
    layout,
    records: 10,
    threads: 1,
    activation: settings.activation,
    standardization: settings.standardization,
    dense: false,
    wide: false,
    copyRows: () => {},
    afterCall: () => {},
  });
  writeSettings(kernel, layout, settings);
  const { header, floats, bytes } = kernel;
  return { header, floats, bytes, layout };
}

test('plain settings leave every option off', () => {
  const { header, layout } = written({ seed: 77 });
  assert.equal(header.SEED, 77);
  assert.deepEqual([header.DROPOUT_THRESHOLD, header.DROPOUT_SCALE], [0, 1]);
  assert.deepEqual([header.L1, header.L2, header.SMOOTHING, header.CLIP_NORM], [0, 0, 0, 0]);
  assert.deepEqual([header.CLASS_WEIGHTS, header.TARGETS, header.TEACHER_WEIGHT], [0, 0, 0]);
  assert.deepEqual([header.AUGMENTED, header.WARP_TABLE, header.NOISE_TABLE], [0, 0, 0]);
  assert.deepEqual([header.AVERAGE_DELTA, header.PARTNER_ROWS], [0, 0]);
  assert.equal(header.PARTNER_STRIDE, layout.partnerStride);
});

test('dropout, penalties, smoothing, clipping, the average and partners have a field each', () => {
  const { header, layout } = written({
    dropout: 0.75,
    l1: 0.125,
    l2: 0.25,
    labelSmoothing: 0.5,
    clipNorm: 3,
    ema: { decay: 0.9 },
    mixup: { alpha: 1 },
  });
  // 0.75 · 2³², read as a signed number.
  assert.deepEqual([header.DROPOUT_THRESHOLD >>> 0, header.DROPOUT_SCALE], [3 * 2 ** 30, 4]);
  assert.deepEqual([header.L1, header.L2, header.SMOOTHING, header.CLIP_NORM], [0.125, 0.25, 0.5, 3]);
  assert.ok(layout.averageDelta > 0 && layout.partnerRows > 0);
  assert.deepEqual([header.AVERAGE_DELTA, header.PARTNER_ROWS], [layout.averageDelta, layout.partnerRows]);
});

test('class weights are written behind each other', () => {
  const { header, floats, layout } = written({ classWeights: Float64Array.of(0.5, 2, 1.25) });
  assert.equal(header.CLASS_WEIGHTS, layout.classWeights);
  const at = layout.classWeights / 4;
  assert.deepEqual([...floats.subarray(at, at + 3)], [0.5, 2, 1.25]);
});

test('the targets of each example start at whole pairs of vectors', () => {
  const targets = Float32Array.of(0.5, 0.25, 0.25, 0.125, 0.75, 0.125);
  const { header, floats, layout } = written({ distillation: { weight: 0.25, targets } }, 2);
  assert.deepEqual([header.TARGETS, header.TEACHER_WEIGHT], [layout.targets, 0.25]);
  const at = layout.targets / 4;
  const first = [0.5, 0.25, 0.25, 0, 0, 0, 0, 0];
  const second = [0.125, 0.75, 0.125, 0, 0, 0, 0, 0];
  const zeros = new Array<number>(8).fill(0);
  assert.deepEqual([...floats.subarray(at, at + 24)], [...first, ...second, ...zeros]);
});

test('an augmentation has the shape and copy of an image, and no tables that it does not need', () => {
  const { header, layout } = written({ augmentation: { ...UNCHANGED, horizontalFlip: true } });
  assert.deepEqual([header.AUGMENTED, header.FLIP, header.SHIFT], [1, 1, 0]);
  assert.deepEqual([header.IMAGE_HEIGHT, header.IMAGE_WIDTH, header.IMAGE_CHANNELS], [7, 9, 1]);
  // 16 bytes beside each row of 9, which has 16.
  assert.deepEqual([header.COPY_LEFT, header.COPY_STRIDE], [16, 48]);
  assert.deepEqual([header.ERASE_THRESHOLD, header.ERASE_SHAPE_COUNT], [0, 0]);
  assert.equal(header.ERASE_SHAPES, layout.eraseShapes);
  assert.deepEqual([header.WARP_TABLE, header.NOISE_TABLE], [0, 0]);
});

test('shifted images of colours have room for the shift on both sides', () => {
  const architecture = dense([7 * 9 * 3, 3], [7, 9, 3]);
  const { header } = written({ architecture, augmentation: { ...UNCHANGED, shift: 6 } });
  assert.deepEqual([header.AUGMENTED, header.FLIP, header.SHIFT, header.IMAGE_CHANNELS], [1, 0, 6, 3]);
  // 18 bytes take 32; 27 take 32.
  assert.deepEqual([header.COPY_LEFT, header.COPY_STRIDE], [32, 96]);
});

test('erasing has rectangles that are smaller than the image', () => {
  const { header, bytes, layout } = written({ augmentation: { ...UNCHANGED, erase: 0.25 } });
  assert.equal(header.ERASE_THRESHOLD, 2 ** 30);
  const count = header.ERASE_SHAPE_COUNT;
  assert.ok(count > 0 && count <= 1024 && Number.isInteger(count));
  const rectangle = (n: number) => [
    ...bytes.subarray(layout.eraseShapes + 2 * n, layout.eraseShapes + 2 * n + 2),
  ];
  // The smallest area is 0.02484 · 63 = 1.565. From the aspect 0.3469 on, its height √(1.565 · 0.3469) = 0.74 is 1, and its width 2.
  assert.deepEqual(rectangle(0), [1, 2]);
  for (const n of [0, count - 1]) {
    const [height, width] = rectangle(n) as [number, number];
    assert.ok(height >= 1 && height < 7 && width >= 1 && width < 9, `${n}: ${height}×${width}`);
  }
  assert.deepEqual(rectangle(count), [0, 0]);
});

test('rotations and noise have tables of 1,024 entries', () => {
  const { header, bytes, layout } = written({ augmentation: { ...UNCHANGED, rotation: 90, noise: 0.5 } });
  assert.deepEqual([header.WARP_TABLE, header.NOISE_TABLE], [layout.warpTable, layout.noiseTable]);
  const warps = new Int32Array(bytes.buffer, layout.warpTable, 2048);
  // 2¹⁶ (cos θ, sin θ) of the first and the last angle, ± 90° · 1023 / 1024.
  const angle = ((1023 / 1024) * Math.PI) / 2;
  const [cos, sin] = [Math.round(65_536 * Math.cos(angle)), Math.round(65_536 * Math.sin(angle))];
  assert.deepEqual([warps[0], warps[1], warps[2046], warps[2047]], [cos, -sin, cos, sin]);
  const noise = new Int16Array(bytes.buffer, layout.noiseTable, 1024);
  // 127.5 Φ⁻¹ of 1/2048, of 1/2 − 1/2048, and of 1 − 1/2048: ± 3.2972 and 0.
  assert.deepEqual(
    [noise[0], noise[511], noise[1023]].map((each) => Math.abs(each!)),
    [420, 0, 420],
  );
  assert.ok(noise[0]! < 0 && noise[1023]! > 0);
});

test('plain gradient descent has momentum and weight decay, and Nesterov on demand', () => {
  const plain = written({ optimizer: { ...SGD, momentum: 0.5, weightDecay: 0.25 } }).header;
  assert.deepEqual([plain.OPTIMIZER, plain.MOMENTUM, plain.NESTEROV, plain.WEIGHT_DECAY], [0, 0.5, 0, 0.25]);
  assert.equal(plain.EPSILON, 0);
  const { header } = written({ optimizer: { ...SGD, momentum: 0.5, nesterov: true } });
  assert.deepEqual([header.OPTIMIZER, header.NESTEROV], [0, 1]);
});

test('RMSprop has its mean, momentum and weight decay', () => {
  const optimizer = {
    type: 'rmsprop',
    alpha: 0.75,
    momentum: 0.5,
    epsilon: 0.125,
    weightDecay: 0.0625,
  } as const;
  const { header } = written({ optimizer });
  assert.deepEqual([header.OPTIMIZER, header.MOMENTUM, header.ALPHA], [1, 0.5, 0.75]);
  assert.deepEqual([header.ONE_MINUS_ALPHA, header.EPSILON, header.WEIGHT_DECAY], [0.25, 0.125, 0.0625]);
});

test('Adam has both means; the weight decay of AdamW is not part of its gradient', () => {
  const betas = { beta1: 0.75, beta2: 0.875, epsilon: 0.5, weightDecay: 0.25 };
  const { header } = written({ optimizer: { type: 'adam', ...betas } });
  assert.deepEqual([header.OPTIMIZER, header.EPSILON, header.WEIGHT_DECAY], [2, 0.5, 0.25]);
  assert.deepEqual([header.BETA1, header.ONE_MINUS_BETA1], [0.75, 0.25]);
  assert.deepEqual([header.BETA2, header.ONE_MINUS_BETA2], [0.875, 0.125]);
  const decoupled = written({ optimizer: { type: 'adamw', ...betas } }).header;
  assert.deepEqual([decoupled.OPTIMIZER, decoupled.BETA1, decoupled.WEIGHT_DECAY], [2, 0.75, 0]);
});
