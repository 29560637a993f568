/** Networks with convolutions compared with PyTorch in float64. */
import { test } from 'node:test';
import { inputGradient } from '../../../src/numerics/explanation/input-gradient.ts';
import { createForward } from '../../../src/numerics/network/forward.ts';
import { valueCount } from '../../../src/numerics/network/image-shape.ts';
import { createReferenceEngine } from '../../../src/numerics/reference/reference-engine.ts';
import { BATCH, CONVOLUTIONS, IMAGES, imagesFor, parametersFor, RATE } from '../convolutions.ts';
import { assertBlocksNear, assertNear, at, changeFrom, firstIndices, settingsOf } from '../fixtures.ts';

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

  test(`a training of a network with convolutions agrees with PyTorch: ${name}`, () => {
    const engine = create();
    const sums = { loss: 0, correct: 0 };
    const [own, norms]: [number[], number[]] = [[], []];
    for (let step = 0; step < losses.length; step++) {
      const start = (step * BATCH) % IMAGES;
      const batch = firstIndices(BATCH).map((i) => i + start);
      engine.step(examples, batch, at(RATE, { epoch: Math.floor((step * BATCH) / IMAGES) + 1, start }), sums);
      own.push(sums.loss / BATCH);
      norms.push(engine.gradientNorm());
    }
    assertNear(own, losses, 1e-11, 'losses');
    assertNear(norms, fixture.gradientNorms, 1e-11, 'gradient norms');
    const [move, expected] = [
      changeFrom(parameters, engine.parameters),
      changeFrom(parameters, fixture.final),
    ];
    assertBlocksNear(move, expected, architecture, 1e-11);
  });

  test(`the gradient with respect to the pixels equals PyTorch's: ${name}`, () => {
    const image = examples.pixels.subarray(inputs, 2 * inputs);
    assertNear(inputGradient(settings, parameters, image, 2), fixture.saliency, 1e-12, 'saliency');
  });
}
