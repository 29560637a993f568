import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inputGradient, sumChannels } from '../../../src/numerics/explanation/input-gradient.ts';
import { architectureText } from '../../../src/numerics/network/architecture.ts';
import { createForward } from '../../../src/numerics/network/forward.ts';
import { initialize } from '../../../src/numerics/network/initialize.ts';
import type { Network } from '../../../src/numerics/network/layers.ts';
import { dense } from '../../support/dense.ts';
import { assertNear, stripes } from '../fixtures.ts';

const NETWORKS: Network[] = [
  { architecture: dense([36, 11, 7, 5]), activation: 'tanh', standardization: null },
  { architecture: dense([36, 11, 7, 5]), activation: 'relu', standardization: { mean: 0.3, std: 0.35 } },
  { architecture: dense([36, 9, 5]), activation: 'sigmoid', standardization: { mean: 0.1, std: 2 } },
  { architecture: dense([36, 5]), activation: 'relu', standardization: null },
  {
    architecture: dense([36, 11, 5]),
    activation: 'tanh',
    standardization: { mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.6] },
  },
];

/** Gradient of log p_label by central differences in every pixel on the scale 0–1, zeros included. */
function numericGradient(network: Network, parameters: Float64Array, image: Float32Array, label: number) {
  const classes = network.architecture.classes;
  const forward = createForward(network, parameters);
  // 1/64 is exact in float32 and far from any kink of these networks.
  const step = 1 / 64;
  const logProbability = (pixels: Float32Array) => {
    const [logits, probabilities] = [new Float64Array(classes), new Float64Array(classes)];
    forward(logits, probabilities, pixels);
    return Math.log(probabilities[label]!);
  };
  return Float64Array.from(image, (_, j) => {
    const [up, down] = [image.slice(), image.slice()];
    up[j]! += step;
    down[j]! -= step;
    return (logProbability(up) - logProbability(down)) / ((2 * step) / 255);
  });
}

function nameOf({ standardization }: Network): string {
  if (standardization === null) return '';
  return typeof standardization.mean === 'number' ? ', standardized' : ', standardized by channel';
}

for (const network of NETWORKS) {
  const name = `${architectureText(network.architecture)} ${network.activation}${nameOf(network)}`;
  test(`the input gradient agrees with central differences: ${name}`, () => {
    const parameters = initialize('glorot', network.architecture, 5);
    const image = Float32Array.from(stripes(1, 36, 5).pixels);
    assert.ok(image.includes(0));
    for (const label of [0, 3]) {
      const gradient = inputGradient(network, parameters, image, label);
      assertNear(gradient, numericGradient(network, parameters, image, label), 1e-6, `class ${label}`);
    }
  });
}

test('rejects an image of another size', () => {
  const network = NETWORKS[3]!;
  assert.throws(
    () => inputGradient(network, new Float64Array(36 * 5 + 5), new Float32Array(35), 0),
    /An image has 36 pixels, not 35/,
  );
});

test('the gradients of the channels of a pixel are added', () => {
  const gradient = Float64Array.of(1, 2, 4, 8, -16, 32);
  assert.deepEqual(sumChannels(gradient, [1, 2, 3]), Float64Array.of(7, 24));
  assert.deepEqual(sumChannels(gradient, [2, 3]), gradient);
});
