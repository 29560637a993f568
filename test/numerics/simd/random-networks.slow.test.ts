import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineDifference } from '../../../src/numerics/checks/kernel.ts';
import { ACTIVATIONS } from '../../../src/numerics/network/activations.ts';
import { type Architecture, architectureText } from '../../../src/numerics/network/architecture.ts';
import { type ImageShape, valueCount } from '../../../src/numerics/network/image-shape.ts';
import { initialize } from '../../../src/numerics/network/initialize.ts';
import { randomUniform } from '../../../src/numerics/random.ts';
import { createKernelEngine } from '../../../src/numerics/simd/kernel-engine.ts';
import { createKernelForward } from '../../../src/numerics/simd/kernel-forward.ts';
import {
  type EngineSettings,
  type Examples,
  type OptimizerSettings,
  PLAIN_SETTINGS,
  stateVectors,
} from '../../../src/numerics/training/engine.ts';
import { firstIndices } from '../fixtures.ts';
import { at, CHANNELS, kernelModule, SGD } from './cases.ts';

const NETWORKS = 80;
const MOMENTS = { beta1: 0.9, beta2: 0.99, epsilon: 1e-6, weightDecay: 0.01 };
const OPTIMIZERS: readonly OptimizerSettings[] = [
  SGD,
  { ...SGD, momentum: 0.9, nesterov: true, weightDecay: 0.01 },
  { type: 'rmsprop', momentum: 0.5, alpha: 0.9, epsilon: 1e-6, weightDecay: 0.01 },
  { type: 'adam', ...MOMENTS },
  { type: 'adamw', ...MOMENTS },
];

/** Random choices of network n. */
function createDraws(n: number) {
  let position = 0;
  const uniform = () => randomUniform(n, 0, 9, position++);
  const whole = (from: number, to: number) => from + Math.floor(uniform() * (to - from + 1));
  const list = <T>(from: number, to: number, draw: () => T) => Array.from({ length: whole(from, to) }, draw);
  return {
    uniform,
    whole,
    list,
    pick: <T>(of: readonly T[]): T => of[whole(0, of.length - 1)]!,
    sometimes: <T>(value: T) => (uniform() < 0.3 ? value : null),
  };
}

type Draws = ReturnType<typeof createDraws>;

function drawArchitecture({ uniform, whole, list }: Draws): Architecture {
  const [height, width] = [whole(4, 20), whole(4, 20)];
  const inputShape: ImageShape = uniform() < 0.4 ? [height, width, 3] : [height, width];
  const norm = uniform() < 0.4 ? 'group' : 'none';
  const channels = () => (norm === 'group' ? 4 * whole(1, 9) : whole(1, 36));
  const convolutions = list(1, 2, () => list(1, 2, channels));
  return { inputShape, convolutions, norm, hidden: list(0, 2, () => whole(1, 40)), classes: whole(2, 12) };
}

function drawSettings(draws: Draws, n: number): EngineSettings {
  const architecture = drawArchitecture(draws);
  const standardization = architecture.inputShape.length === 3 ? CHANNELS : { mean: 0.3, std: 0.4 };
  return {
    ...PLAIN_SETTINGS,
    architecture,
    batchSize: draws.whole(1, 40),
    seed: n,
    activation: draws.pick(ACTIVATIONS),
    standardization: draws.sometimes(standardization),
    optimizer: draws.pick(OPTIMIZERS),
    dropout: draws.sometimes(0.3) ?? 0,
    l1: draws.sometimes(1e-3) ?? 0,
    l2: draws.sometimes(1e-2) ?? 0,
    labelSmoothing: draws.sometimes(0.1) ?? 0,
    clipNorm: draws.sometimes(0.5),
    ema: draws.sometimes({ decay: 0.9 }),
    mixup: draws.sometimes({ alpha: 1 }),
  };
}

/** The losses, the norm and the state after three steps. An engine divides the work even if one thread does all of it. */
function train(settings: EngineSettings, parameters: Float64Array, examples: Examples, threads: number) {
  const engine = createKernelEngine(kernelModule, settings, parameters, { threads, wide: threads % 2 === 0 });
  const results: number[] = [];
  for (const [step, size] of [
    settings.batchSize,
    Math.ceil(settings.batchSize / 3),
    settings.batchSize,
  ].entries()) {
    const sums = { loss: 0, correct: 0 };
    const position = at({ start: 40 * step, learningRate: 0.02, measureNorm: step === 2 });
    engine.step(examples, firstIndices(size), position, sums);
    results.push(sums.loss, sums.correct);
  }
  return [results, engine.gradientNorm(), ...stateVectors(engine.exportState())];
}

/** Logits of all examples, `size` at a time. */
function predict(
  settings: EngineSettings,
  parameters: Float64Array,
  { pixels }: Examples,
  size: number,
): number[] {
  const { architecture, activation, standardization } = settings;
  const forward = createKernelForward(kernelModule, architecture, activation, parameters, standardization);
  const bytes = size * valueCount(architecture.inputShape);
  const all: number[] = [];
  for (let start = 0; start < pixels.length; start += bytes) {
    const part = pixels.slice(start, start + bytes);
    const logits = new Float32Array((part.length / bytes) * size * architecture.classes);
    forward.forward(logits, logits.slice(), part);
    all.push(...logits);
  }
  return all;
}

for (let n = 0; n < NETWORKS; n++) {
  const draws = createDraws(n);
  const settings = drawSettings(draws, n);
  const { architecture, batchSize, activation } = settings;
  const name = `${architectureText(architecture)}, norm ${architecture.norm}, ${activation}, batch ${batchSize}`;

  test(`random networks agree with the reference, with the same bits however they are divided: ${name}`, () => {
    const examples = {
      pixels: Uint8Array.from({ length: valueCount(architecture.inputShape) * batchSize }, () =>
        Math.max(0, draws.whole(-200, 255)),
      ),
      labels: Uint8Array.from({ length: batchSize }, () => draws.whole(0, architecture.classes - 1)),
    };
    const parameters = initialize('he', architecture, n).map((w) => w + 0.1 * (draws.uniform() - 0.5));
    const difference = engineDifference(
      (...args) => createKernelEngine(kernelModule, ...args),
      settings,
      parameters,
      examples,
      firstIndices(batchSize),
    );
    assert.ok(difference < 1e-4, `a block of the gradient differs by ${difference}`);
    const trained = train(settings, parameters, examples, 1);
    for (const threads of [2, 3, 4])
      assert.deepEqual(train(settings, parameters, examples, threads), trained);
    const logits = predict(settings, parameters, examples, batchSize);
    for (const size of [1, 7]) assert.deepEqual(predict(settings, parameters, examples, size), logits);
  });
}
