import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Coordinate } from '../../../src/numerics/checks/perturbation.ts';
import { createPerturbedLoss } from '../../../src/numerics/checks/perturbed-loss.ts';
import { evaluate } from '../../../src/numerics/evaluation/measure.ts';
import { architectureText, blocks } from '../../../src/numerics/network/architecture.ts';
import { initializeUniformFanIn } from '../../../src/numerics/network/initialize.ts';
import type { Network } from '../../../src/numerics/network/layers.ts';
import { dense } from '../../support/dense.ts';
import { firstIndices, reluNetwork, stripes } from '../fixtures.ts';

const examples = stripes(6, 12, 4);
const indices = firstIndices(6);

/** The loss computed in full, which the incremental loss must equal. */
function fullLoss(network: Network, parameters: Float64Array): number {
  const evaluation = evaluate(network, parameters, examples, indices);
  for (;;) {
    const { done, value } = evaluation.next();
    if (done) return value.loss;
  }
}

const standardization = { mean: 0.3, std: 0.4 };
const NETWORKS: Network[] = [
  reluNetwork(dense([12, 4])),
  reluNetwork(dense([12, 7, 4])),
  reluNetwork(dense([12, 7, 6, 5, 4])),
  { ...reluNetwork(dense([12, 7, 6, 4])), standardization },
  ...(['leaky-relu', 'tanh', 'sigmoid', 'identity', 'silu'] as const).map((activation) => ({
    architecture: dense([12, 7, 6, 4]),
    activation,
    standardization: activation === 'tanh' ? standardization : null,
  })),
];

for (const network of NETWORKS) {
  const { architecture, activation } = network;
  const name = `${architectureText(architecture)} ${activation}${network.standardization === null ? '' : ', standardized'}`;
  test(`moving one parameter gives the same loss as a full evaluation: ${name}`, () => {
    const parameters = initializeUniformFanIn(architecture, 5);
    const perturbed = createPerturbedLoss(network, parameters, examples, indices);
    assert.equal(perturbed.loss, fullLoss(network, parameters));
    const coordinate: Coordinate = { block: 0, index: 0 };
    const out = { loss: 0, crossed: false };
    let crossings = 0;
    for (const [b, block] of blocks(architecture).entries()) {
      for (let position = block.start; position < block.end; position++) {
        const original = parameters[position]!;
        coordinate.block = b;
        coordinate.index = position - block.start;
        const at = (step: number) => {
          perturbed.evaluate(out, coordinate, original + step - original);
          if (out.crossed) crossings++;
          parameters[position] = original + step;
          const full = fullLoss(network, parameters);
          parameters[position] = original;
          const error = Math.abs(out.loss - full);
          assert.ok(
            error <= 1e-14 * full,
            `${block.name} ${position}, step ${step}: off by ${error} of ${full}`,
          );
          return { incremental: out.loss, full };
        };
        const [above, below] = [at(1e-5), at(-1e-5)];
        const derivative = (above.incremental - below.incremental) / 2e-5;
        const fullDerivative = (above.full - below.full) / 2e-5;
        assert.ok(Math.abs(derivative - fullDerivative) <= 1e-9);
        at(0.5); // far enough to carry units across the kink
      }
    }
    assert.equal(crossings > 0, architecture.hidden.length > 0 && activation.endsWith('relu'));
  });
}

test('below a pooling layer, only the winner of a window can cross a kink', () => {
  const network: Network = {
    ...reluNetwork(dense([4, 2])),
    architecture: { inputShape: [2, 2], convolutions: [[1, 1]], norm: 'none', hidden: [], classes: 2 },
  };
  // The kernels have only a centre, of 1, so z of the second one is the pixel minus 0.3.
  const centre = [0, 0, 0, 0, 1, 0, 0, 0, 0];
  const parameters = Float64Array.of(...centre, 0, ...centre, -0.3, 1, 0, 0, 0);
  const out = { loss: 0, crossed: false };
  /** The factor 0.99 moves z of a pixel of 77 / 255 from 0.002 to −0.001. */
  const move = (...pixels: number[]) => {
    const images = { pixels: Uint8Array.from(pixels), labels: Uint8Array.of(0) };
    const perturbed = createPerturbedLoss(network, parameters, images, firstIndices(1));
    perturbed.evaluate(out, { block: 0, index: 4 }, -0.01);
    return out;
  };
  assert.equal(move(255, 77, 0, 51).crossed, false);
  assert.ok(Math.abs(out.loss - Math.log1p(Math.exp(-0.69))) < 1e-12);
  assert.equal(move(0, 77, 0, 51).crossed, true);
  assert.ok(Math.abs(out.loss - Math.LN2) < 1e-12);
});
