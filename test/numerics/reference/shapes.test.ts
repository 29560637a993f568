/** Trainings on images of several shapes compared with PyTorch: the reference and the kernel, and gradient checks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradientCheck } from '../../../src/numerics/checks/gradient.ts';
import { engineDifference } from '../../../src/numerics/checks/kernel.ts';
import { pixelStatistics } from '../../../src/numerics/examples/statistics.ts';
import { createReferenceEngine } from '../../../src/numerics/reference/reference-engine.ts';
import { createKernelEngine } from '../../../src/numerics/simd/kernel-engine.ts';
import type { CreateEngine } from '../../../src/numerics/training/engine.ts';
import { assertNear, at, changeFrom, firstIndices, settingsOf } from '../fixtures.ts';
import { every29th, IMAGES, imagesOf, networkFor, SHAPES } from '../shapes.ts';
import { kernelModule } from '../simd/cases.ts';

const kernel =
  (options: { wide: boolean; dense?: boolean }): CreateEngine =>
  (settings, initial) =>
    createKernelEngine(kernelModule, settings, initial, options);

const ENGINES: readonly (readonly [string, CreateEngine, number])[] = [
  ['the reference', createReferenceEngine, 1e-10],
  ['the kernel', kernel({ wide: false }), 2e-5],
  ['the kernel with wide panels', kernel({ wide: true }), 2e-5],
  ['the kernel without lists', kernel({ wide: true, dense: true }), 2e-5],
];
const BATCH = 8;

for (const fixture of SHAPES) {
  const { shape, losses, gradientNorms, final } = fixture;
  const name = shape.join('×');
  const { architecture, parameters } = networkFor(shape);
  const examples = imagesOf(shape);
  const standardization = pixelStatistics(examples, firstIndices(IMAGES), shape);
  const settings = settingsOf(architecture, {
    activation: 'tanh',
    standardization,
    batchSize: BATCH,
    optimizer: { type: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0 },
  });

  test(`mean and deviation of images of ${name} equal PyTorch's`, () => {
    assertNear([standardization.mean].flat(), [fixture.mean].flat(), 1e-13, 'mean');
    assertNear([standardization.std].flat(), [fixture.std].flat(), 1e-13, 'deviation');
  });

  for (const [engineName, createEngine, tolerance] of ENGINES) {
    test(`a training on images of ${name} agrees with PyTorch: ${engineName}`, () => {
      const engine = createEngine(settings, parameters);
      const sums = { loss: 0, correct: 0 };
      const [own, norms]: [number[], number[]] = [[], []];
      for (let step = 0; step < losses.length; step++) {
        const start = (step * BATCH) % IMAGES;
        engine.step(
          examples,
          firstIndices(BATCH).map((i) => i + start),
          at(0.05, { start }),
          sums,
        );
        own.push(sums.loss / BATCH);
        norms.push(engine.gradientNorm());
      }
      assertNear(own, losses, tolerance, 'losses');
      assertNear(norms, gradientNorms, tolerance, 'gradient norms');
      const initial = every29th(parameters);
      assertNear(
        changeFrom(initial, every29th(engine.parameters)),
        changeFrom(initial, final),
        tolerance,
        'parameters',
      );
    });
  }

  test(`the gradient of a network for images of ${name} passes a check`, () => {
    const check = gradientCheck({
      ...settings,
      parameters,
      examples,
      indices: firstIndices(5),
      scheme: 'central',
      coordinates: { sample: 400 },
      seed: 3,
    });
    let step = check.next();
    while (!step.done) step = check.next();
    assert.equal(step.value.passed, true, JSON.stringify(step.value.reason));
  });

  test(`the kernel agrees with the reference on augmented images of ${name}`, () => {
    const augmentation = {
      horizontalFlip: true,
      shift: 3,
      rotation: 30,
      scale: 0.3,
      noise: 0.1,
      erase: 0.5,
    };
    const batch = firstIndices(BATCH);
    for (const wide of [false, true]) {
      const changed = { ...settings, augmentation, mixup: { alpha: 1 } };
      const difference = engineDifference(kernel({ wide }), changed, parameters, examples, batch);
      assert.ok(difference > 0 && difference < 1e-5, `${difference}`);
    }
  });
}
