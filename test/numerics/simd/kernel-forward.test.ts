import assert from 'node:assert/strict';
import { test } from 'node:test';
import { architectureText, hiddenUnits } from '../../../src/numerics/network/architecture.ts';
import { valueCount } from '../../../src/numerics/network/image-shape.ts';
import { unpack } from '../../../src/numerics/network/layers.ts';
import { createKernelForward } from '../../../src/numerics/simd/kernel-forward.ts';
import type { EngineSettings } from '../../../src/numerics/training/engine.ts';
import { dense } from '../../support/dense.ts';
import { assertNear, firstIndices } from '../fixtures.ts';
import { CHANNELS, CONVOLUTIONAL, examplesFor, kernelModule, parametersOf, settingsOf } from './cases.ts';
import { measure } from './plain-network.ts';

const CASES: Partial<EngineSettings>[] = [
  ...Object.values(CONVOLUTIONAL),
  { architecture: dense([784, 40, 10]) },
  { architecture: dense([13, 3]) },
  { architecture: dense([17, 9, 6, 5]), activation: 'tanh' },
  { architecture: dense([250, 90, 12]), activation: 'leaky-relu', standardization: { mean: 0.3, std: 0.35 } },
  { architecture: dense([243, 90, 12]), standardization: CHANNELS },
  { architecture: dense([192, 9, 5]), standardization: { mean: 0.5, std: [0.2, 0.3, 0.25] } },
];

for (const changes of CASES) {
  const settings = settingsOf(changes);
  const { architecture, activation, standardization } = settings;
  const packed = parametersOf(architecture);
  const classes = architecture.classes;
  // More than one chunk. The plain network takes a second for a hundred images of some convolutions.
  const count = architecture.convolutions.length > 0 ? 40 : 150;
  const examples = examplesFor(settings, count);
  const name = `${architectureText(architecture)} ${activation}${standardization ? ', standardized' : ''}`;
  const kernel = createKernelForward(kernelModule, architecture, activation, packed, standardization);
  const expected = measure(settings, packed, examples, firstIndices(count), null);

  test(`logits and probabilities agree with the reference: ${name}`, () => {
    const [logits, probabilities] = [new Float32Array(count * classes), new Float32Array(count * classes)];
    kernel.forward(logits, probabilities, examples.pixels);
    assertNear(logits, expected.logits.flat(), 1e-6, 'logits');
    for (let n = 0; n < count; n++) {
      const sum = expected.logits[n]!.reduce((total, z) => total + Math.exp(z), 0);
      const row = probabilities.subarray(n * classes, (n + 1) * classes);
      const right = expected.logits[n]!.map((z) => Math.exp(z) / sum);
      assertNear(row, right, 1e-5, 'probabilities');
    }
  });

  test(`the last layer turns the hidden values into the logits: ${name}`, () => {
    const units = hiddenUnits(architecture);
    const logits = new Float32Array(count * classes);
    const hidden = new Float32Array(count * units);
    kernel.forward(logits, logits.slice(), examples.pixels, hidden);
    if (units === 0) return;
    const { weights, biases } = unpack(packed, architecture).at(-1)!;
    const computed = logits.map((_, i) => {
      const [n, k] = [Math.floor(i / classes), i % classes];
      let sum = biases[k]!;
      for (let j = 0; j < units; j++) sum += weights[k * units + j]! * hidden[n * units + j]!;
      return sum;
    });
    assertNear(computed, logits, 1e-5, 'logits');
  });

  test(`an image gives the same bits alone, in a batch, and as float32: ${name}`, () => {
    const [logits, probabilities] = [new Float32Array(count * classes), new Float32Array(count * classes)];
    kernel.forward(logits, probabilities, examples.pixels);
    const [floatLogits, floatProbabilities] = [logits.slice().fill(0), probabilities.slice().fill(0)];
    kernel.forward(floatLogits, floatProbabilities, Float32Array.from(examples.pixels));
    assert.deepEqual(floatLogits, logits);
    assert.deepEqual(floatProbabilities, probabilities);
    const one = new Float32Array(classes);
    for (const n of [0, 31, 32, count - 1]) {
      const image = examples.pixels.slice(
        n * valueCount(architecture.inputShape),
        (n + 1) * valueCount(architecture.inputShape),
      );
      kernel.forward(one, new Float32Array(classes), image);
      assert.deepEqual(one, logits.slice(n * classes, (n + 1) * classes));
    }
  });

  test(`an evaluation sums losses and correct predictions: ${name}`, () => {
    const sums = { loss: 1, correct: 2 };
    kernel.evaluate(sums, examples, firstIndices(count));
    assertNear([sums.loss - 1], [expected.loss], 1e-5, 'loss');
    assert.equal(sums.correct - 2, expected.correct);
  });
}

test('loads other parameters, and rejects outputs of the wrong length', () => {
  const { architecture } = settingsOf({});
  const kernel = createKernelForward(kernelModule, architecture, 'relu', parametersOf(architecture, 1), null);
  kernel.load(parametersOf(architecture, 2));
  const [a, b] = [new Float32Array(3), new Float32Array(3)];
  const other = createKernelForward(kernelModule, architecture, 'relu', parametersOf(architecture, 2), null);
  const image = new Uint8Array(13).fill(100);
  kernel.forward(a, new Float32Array(3), image);
  other.forward(b, new Float32Array(3), image);
  assert.deepEqual(a, b);
  assert.throws(
    () => kernel.forward(new Float32Array(4), a, image),
    /output of 3 numbers per image, but it has 4 in total/,
  );
  assert.throws(() => kernel.load(new Float64Array(2)), /parameters, not 2/);
});
