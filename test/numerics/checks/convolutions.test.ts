/** Gradient checks of networks with convolutions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type GradientCheckPlan,
  type GradientCheckReport,
  gradientCheck,
} from '../../../src/numerics/checks/gradient.ts';
import { createPerturbedLoss } from '../../../src/numerics/checks/perturbed-loss.ts';
import { evaluate } from '../../../src/numerics/evaluation/measure.ts';
import { ACTIVATIONS } from '../../../src/numerics/network/activations.ts';
import { type Architecture, blocks } from '../../../src/numerics/network/architecture.ts';
import type { Network } from '../../../src/numerics/network/layers.ts';
import { imagesFor, parametersFor } from '../convolutions.ts';
import { firstIndices } from '../fixtures.ts';

const grey: Architecture = {
  inputShape: [6, 7],
  convolutions: [[3], [2, 4]],
  norm: 'none',
  hidden: [5],
  classes: 4,
};
const colour: Architecture = { ...grey, inputShape: [5, 6, 3], convolutions: [[4, 4]], norm: 'group' };

function planFor(architecture: Architecture, changes: Partial<GradientCheckPlan> = {}): GradientCheckPlan {
  return {
    architecture,
    activation: 'relu',
    standardization: null,
    parameters: parametersFor(architecture),
    examples: imagesFor(architecture),
    indices: Uint32Array.of(1, 2, 3),
    scheme: 'central',
    coordinates: 'all',
    seed: 0,
    ...changes,
  };
}

function run<T>(generator: Generator<unknown, T, void>): T {
  for (;;) {
    const { done, value } = generator.next();
    if (done) return value;
  }
}

const check = (plan: GradientCheckPlan): GradientCheckReport => run(gradientCheck(plan));

const failing = ({ blocks: reports }: GradientCheckReport) =>
  reports.filter(({ passed }) => !passed).map(({ name }) => name);

const NETWORKS: [string, Network][] = [
  ['relu', { architecture: grey, activation: 'relu', standardization: null }],
  [
    'tanh, standardized',
    { architecture: grey, activation: 'tanh', standardization: { mean: 0.3, std: 0.4 } },
  ],
  [
    'silu, normalized',
    { architecture: { ...colour, hidden: [] }, activation: 'silu', standardization: null },
  ],
  [
    'leaky-relu, normalized, standardized by channel',
    {
      architecture: colour,
      activation: 'leaky-relu',
      standardization: { mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.6] },
    },
  ],
];

for (const [name, network] of NETWORKS) {
  test(`changing one parameter gives the same loss as a full evaluation: ${name}`, () => {
    const { architecture } = network;
    const [parameters, examples, indices] = [
      parametersFor(architecture),
      imagesFor(architecture),
      firstIndices(3),
    ];
    const fullLoss = () => run(evaluate(network, parameters, examples, indices)).loss;
    const perturbed = createPerturbedLoss(network, parameters, examples, indices);
    assert.equal(perturbed.loss, fullLoss());
    const out = { loss: 0, crossed: false };
    for (const [block, { name: blockName, start, end }] of blocks(architecture).entries()) {
      for (let index = 0; index < end - start; index++) {
        for (const step of [1e-6, 0.5]) {
          const original = parameters[start + index]!;
          perturbed.evaluate(out, { block, index }, original + step - original);
          parameters[start + index] = original + step;
          const full = fullLoss();
          parameters[start + index] = original;
          const error = Math.abs(out.loss - full);
          assert.ok(error <= 1e-14 * full, `${blockName} ${index}, step ${step}: ${error} of ${full}`);
        }
      }
    }
  });
}

for (const activation of ACTIVATIONS) {
  for (const architecture of [grey, colour]) {
    test(`the gradient of every block passes: ${activation}, ${architecture.norm} norm`, () => {
      for (const scheme of ['central', 'forward'] as const) {
        const report = check(planFor(architecture, { activation, scheme }));
        assert.equal(report.passed, true, `${scheme}: ${report.reason}`);
        assert.deepEqual(
          report.blocks.map(({ name }) => name),
          blocks(architecture).map(({ name }) => name),
        );
      }
    });
  }
}

test('a gradient that is wrong in one block fails in that block', () => {
  const plan = planFor(colour);
  const { analytic } = check(plan);
  for (const { name, start, end } of blocks(colour)) {
    const gradient = analytic.map((g, i) => (i >= start && i < end ? 1.001 * g : g));
    assert.deepEqual(failing(check({ ...plan, gradient })), [name]);
  }
});

test('the index of the worst coordinate of a kernel is output, input, row and column', () => {
  const plan = planFor(grey);
  const gradient = check(plan).analytic.slice();
  const K2 = blocks(grey)[2]!;
  gradient[K2.start + 27 + 9 + 5]! += 0.01;
  const { worst } = check({ ...plan, gradient }).blocks[2]!;
  assert.deepEqual(worst!.index, [1, 1, 1, 2]);
});

test('a bias at the kink of a blank background is compared on its smooth side', () => {
  const parameters = parametersFor(grey);
  for (const { name, start, end } of blocks(grey)) if (name.startsWith('c')) parameters.fill(0, start, end);
  const plan = planFor(grey, { parameters });
  // Rows and columns of zeros, as around a garment.
  plan.examples.pixels.forEach((_, i) => {
    if (i % 7 > 2) plan.examples.pixels[i] = 0;
  });
  const report = check(plan);
  assert.equal(report.passed, true, `${report.reason}`);
  assert.equal(report.kinks, 0);
  assert.ok(report.blocks.every(({ worst }) => worst !== null));
});

/** A single window. Each of its values is a pixel plus the bias. */
function oneWindow(pixels: number[], changes: Partial<GradientCheckPlan> = {}): GradientCheckPlan {
  const architecture: Architecture = {
    inputShape: [2, 2],
    convolutions: [[1]],
    norm: 'none',
    hidden: [],
    classes: 2,
  };
  const parameters = Float64Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0, 0.5, 2, -2, 0, 0);
  const examples = { pixels: Uint8Array.from(pixels), labels: Uint8Array.of(1) };
  return planFor(architecture, {
    activation: 'identity',
    parameters,
    examples,
    indices: firstIndices(1),
    ...changes,
  });
}

test('a step that switches the maximum of a window crosses a kink, where only the other side is compared', () => {
  // Two equal maxima: the weight left of the middle adds the first pixel to the second value.
  const plan = oneWindow([200, 200, 0, 100]);
  const [K1, c1] = check({ ...plan, scheme: 'forward' }).blocks;
  assert.ok(K1!.kinks > 0 && K1!.error > 0.1, JSON.stringify(K1));
  assert.equal(c1!.kinks, 0);
  assert.equal(check({ ...oneWindow([200, 180, 0, 100]), scheme: 'forward' }).kinks, 0);
  const central = check(plan);
  assert.deepEqual([central.passed, central.kinks], [true, 0]);
});

test('a value that is not the maximum of its window has no kink', () => {
  // The second value is just below the kink of ReLU, and below or above the first one.
  const parameters = oneWindow([]).parameters.slice();
  parameters[9] = -100 / 255 - 1e-9;
  const kinks = (pixels: number[]) =>
    check(oneWindow(pixels, { activation: 'relu', parameters, scheme: 'forward' })).kinks;
  assert.equal(kinks([250, 100, 0, 0]), 0);
  assert.ok(kinks([0, 100, 0, 0]) > 0);
});

test('the default step is smaller with convolutions, and the sample is spread over the blocks', () => {
  const report = check(planFor(grey, { coordinates: { sample: 60 } }));
  assert.equal(report.stepSize, 1e-6);
  assert.equal(report.passed, true);
  assert.deepEqual(
    report.blocks.map(({ coordinates }) => coordinates),
    [8, 3, 9, 2, 9, 4, 8, 5, 8, 4],
  );
});

test('a check yields between coordinates', () => {
  const steps = gradientCheck(planFor(grey));
  const { done, coordinates } = steps.next().value as { done: number; coordinates: number };
  assert.equal(done, 0);
  assert.equal(coordinates, blocks(grey).at(-1)!.end);
  run(steps);
});
