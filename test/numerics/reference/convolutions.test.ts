/** Networks with convolutions compared with PyTorch in float64: the reference and the kernel. */
import { test } from 'node:test';
import { inputGradient } from '../../../src/numerics/explanation/input-gradient.ts';
import { createForward } from '../../../src/numerics/network/forward.ts';
import { valueCount } from '../../../src/numerics/network/image-shape.ts';
import { createReferenceEngine } from '../../../src/numerics/reference/reference-engine.ts';
import { createKernelEngine } from '../../../src/numerics/simd/kernel-engine.ts';
import type { CreateEngine } from '../../../src/numerics/training/engine.ts';
import { BATCH, CONVOLUTIONS, IMAGES, imagesFor, parametersFor, RATE } from '../convolutions.ts';
import { assertBlocksNear, assertNear, at, changeFrom, firstIndices, settingsOf } from '../fixtures.ts';
import { kernelModule } from '../simd/cases.ts';

const kernel =
  (wide: boolean): CreateEngine =>
  (settings, initial) =>
    createKernelEngine(kernelModule, settings, initial, { wide });

const ENGINES: readonly (readonly [string, CreateEngine, number])[] = [
  ['the reference', createReferenceEngine, 1e-11],
  ['the kernel', kernel(false), 2e-5],
  ['the kernel with wide vectors', kernel(true), 2e-5],
];

for (const fixture of CONVOLUTIONS) {
  const { name, architecture, losses } = fixture;
  const examples = imagesFor(architecture);
  const parameters = parametersFor(architecture);
  const inputs = valueCount(architecture.inputShape);
  const settings = settingsOf(architecture, { ...fixture.settings, batchSize: BATCH });
  const create = () => createReferenceEngine(settings, parameters);

  test(`the logits of a network with convolutions equal PyTorch's: ${name}`, () => {
    const [logits, probabilities] = [new Float64Array(BATCH * 4), new Float64Array(BATCH * 4)];
    createForward(settings, parameters)(logits, probabilities, examples.pixels.subarray(0, BATCH * inputs));
    assertNear(logits, fixture.logits, 1e-12, 'logits');
  });

  test(`every block of the gradient of a network with convolutions equals PyTorch's: ${name}`, () => {
    const gradient = new Float64Array(parameters.length);
    // Computes twice, because earlier content of the buffers must not matter.
    const engine = create();
    for (let time = 0; time < 2; time++) engine.gradient(gradient, examples, firstIndices(BATCH), at(0));
    assertBlocksNear(gradient, fixture.gradient, architecture, 1e-12);
  });

  for (const [engineName, createEngine, tolerance] of ENGINES) {
    test(`a training of a network with convolutions agrees with PyTorch: ${name}, ${engineName}`, () => {
      const engine = createEngine(settings, parameters);
      const sums = { loss: 0, correct: 0 };
      const [own, norms]: [number[], number[]] = [[], []];
      for (let step = 0; step < losses.length; step++) {
        const start = (step * BATCH) % IMAGES;
        const batch = firstIndices(BATCH).map((i) => i + start);
        const epoch = Math.floor((step * BATCH) / IMAGES) + 1;
        engine.step(examples, batch, at(RATE, { epoch, start }), sums);
        own.push(sums.loss / BATCH);
        norms.push(engine.gradientNorm());
      }
      assertNear(own, losses, tolerance, 'losses');
      assertNear(norms, fixture.gradientNorms, tolerance, 'gradient norms');
      const [move, expected] = [
        changeFrom(parameters, engine.parameters),
        changeFrom(parameters, fixture.final),
      ];
      // Some blocks move by less than a hundredth of their numbers, which the kernel rounds to float32.
      assertBlocksNear(move, expected, architecture, 5 * tolerance);
    });
  }

  test(`the gradient with respect to the pixels equals PyTorch's: ${name}`, () => {
    const image = examples.pixels.subarray(inputs, 2 * inputs);
    assertNear(inputGradient(settings, parameters, image, 2), fixture.saliency, 1e-12, 'saliency');
  });
}
