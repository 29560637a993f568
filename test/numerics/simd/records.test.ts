import assert from 'node:assert/strict';
import { test } from 'node:test';
import { augment, planAugmentation } from '../../../src/numerics/examples/augment.ts';
import { dropoutMask, dropoutThreshold } from '../../../src/numerics/examples/dropout.ts';
import { drawMixingFraction, drawPartners, mixPixels } from '../../../src/numerics/examples/mixup.ts';
import { type ImageShape, valueCount } from '../../../src/numerics/network/image-shape.ts';
import { createKernelEngine } from '../../../src/numerics/simd/kernel-engine.ts';
import { layOut } from '../../../src/numerics/simd/layout.ts';
import { dense } from '../../support/dense.ts';
import { firstIndices } from '../fixtures.ts';
import { at, examplesFor, kernelModule, parametersOf, settingsOf, UNCHANGED } from './cases.ts';

const CHANGES = {
  flip: { ...UNCHANGED, horizontalFlip: true },
  shift: { ...UNCHANGED, shift: 5 },
  'shift as far as there is': { ...UNCHANGED, shift: 28 },
  'flip and shift': { ...UNCHANGED, horizontalFlip: true, shift: 2 },
  rotation: { ...UNCHANGED, rotation: 45 },
  scale: { ...UNCHANGED, scale: 0.5 },
  'flip, shift, rotation and scale': {
    ...UNCHANGED,
    horizontalFlip: true,
    shift: 9,
    rotation: 45,
    scale: 0.5,
  },
  erasing: { ...UNCHANGED, erase: 0.7 },
  noise: { ...UNCHANGED, noise: 0.2 },
  everything: { horizontalFlip: true, shift: 4, rotation: 0, scale: 0, noise: 0.05, erase: 0.5 },
};
const SHAPES: readonly ImageShape[] = [
  [28, 28],
  [8, 8],
  [9, 13],
  [20, 44],
  [32, 32, 3],
  [11, 9, 3],
];

for (const [name, augmentation] of Object.entries(CHANGES)) {
  for (const shape of SHAPES) {
    test(`the kernel augments images of ${shape.join('×')} like augment.ts, byte for byte: ${name}`, () => {
      const values = valueCount(shape);
      const settings = settingsOf({
        architecture: dense([values, 4, 10], shape),
        batchSize: 60,
        augmentation,
        seed: 0xfedcba98,
      });
      const examples = examplesFor(settings, 60);
      const engine = createKernelEngine(kernelModule, settings, parametersOf(settings.architecture));
      const gradient = new Float32Array(engine.parameters.length);
      engine.gradient(gradient, examples, firstIndices(60), at({ epoch: 7, start: 59_000 }));
      const { memory, rows } = engine.createHandle(examples.pixels);
      const expected = new Uint8Array(values);
      const plan = planAugmentation(augmentation, shape)!;
      let changed = 0;
      for (let n = 0; n < 60; n++) {
        augment(expected, examples.pixels, n * values, plan, settings.seed, 7, 59_000 + n);
        const actual = new Uint8Array(memory.buffer, rows.records + n * rows.recordStride, values).slice();
        assert.deepEqual(actual, expected, `picture ${n}`);
        if (Buffer.compare(actual, examples.pixels.subarray(n * values, (n + 1) * values)) !== 0) changed++;
      }
      assert.ok(changed > 15, `${changed} of 60 pictures were changed`);
    });
  }
}

for (const [name, imageShape, augmentation] of [
  ['plain images', [28, 28], UNCHANGED],
  ['augmented images', [28, 28], CHANGES.everything],
  ['augmented colour images', [11, 9, 3], CHANGES['flip, shift, rotation and scale']],
  ['images whose rows are not whole vectors', [1, 43], UNCHANGED],
] as const) {
  test(`the kernel mixes images like mixup.ts, byte for byte: ${name}`, () => {
    const mixup = { alpha: 1 };
    const inputs = valueCount(imageShape);
    const settings = settingsOf({
      architecture: dense([inputs, 4, 10], imageShape),
      batchSize: 90,
      augmentation,
      mixup,
      seed: 3,
    });
    const examples = examplesFor(settings, 100);
    const batch = firstIndices(90).map((n) => 99 - n);
    const engine = createKernelEngine(kernelModule, settings, parametersOf(settings.architecture));
    engine.gradient(
      new Float32Array(engine.parameters.length),
      examples,
      batch,
      at({ epoch: 7, start: 640 }),
    );
    const { memory, rows } = engine.createHandle(examples.pixels);
    const partners = new Uint32Array(90);
    drawPartners(partners, 3, 7, 640);
    const fraction = drawMixingFraction(mixup, 3, 7, 640);
    assert.ok(fraction > 0 && fraction < 1);
    const imageAt = (n: number) => {
      const image = examples.pixels.slice(batch[n]! * inputs, (batch[n]! + 1) * inputs);
      if (augmentation === UNCHANGED) return image;
      const changed = new Uint8Array(inputs);
      augment(changed, image, 0, planAugmentation(augmentation, imageShape)!, 3, 7, 640 + n);
      return changed;
    };
    for (let n = 0; n < 90; n++) {
      const expected = imageAt(n);
      mixPixels(expected, imageAt(partners[n]!), fraction);
      const actual = new Uint8Array(memory.buffer, rows.records + n * rows.recordStride, inputs).slice();
      assert.deepEqual(actual, expected, `picture ${n}`);
    }
  });
}

test('the kernel drops the same units as dropout.ts', () => {
  const settings = settingsOf({
    architecture: dense([6, 29, 10, 3]),
    dropout: 0.3,
    activation: 'sigmoid',
    seed: 77,
  });
  const engine = createKernelEngine(kernelModule, settings, parametersOf(settings.architecture));
  const examples = examplesFor(settings, 10);
  const gradient = new Float32Array(engine.parameters.length);
  engine.gradient(gradient, examples, firstIndices(10), at({ epoch: 2, start: 123_456 }));
  const { memory, rows } = engine.createHandle(examples.pixels);
  const { layers } = layOut({
    architecture: settings.architecture,
    records: 10,
    threads: 1,
    training: { ...settings, targetRows: 0 },
  });
  for (const layer of [1, 2]) {
    const kept = new Uint8Array(settings.architecture.hidden[layer - 1]!);
    for (let n = 0; n < 10; n++) {
      dropoutMask(kept, 77, 2, layer, 123_456 + n, dropoutThreshold(0.3));
      const from = rows.records + n * rows.recordStride + layers[layer - 1]!.outputValues;
      const values = new Float32Array(memory.buffer, from, kept.length);
      assert.deepEqual(
        Array.from(values, (a) => (a === 0 ? 0 : 1)),
        [...kept],
      );
    }
  }
});
