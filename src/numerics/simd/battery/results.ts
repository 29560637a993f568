/** Trainings and predictions whose results show whether two compilations of the kernel compute the same bits. */

import { valueCount } from '../../network/image-shape.ts';
import type { Parameters } from '../../network/layers.ts';
import { stateVectors } from '../../training/engine.ts';
import { createKernelEngine, type KernelOptions } from '../kernel-engine.ts';
import { createKernelForward } from '../kernel-forward.ts';
import { type BatteryCase, batteryCase, CASE_COUNT, FURTHER_EXAMPLES, typicalCase } from './cases.ts';

type Results = Generator<Float32Array | Float64Array>;
type Vectors = Pick<KernelOptions, 'wide'>;

/** The results of all cases, for a digest. */
export function* batteryResults(module: WebAssembly.Module, options: Vectors): Results {
  for (let n = 0; n < CASE_COUNT; n++) yield* train(module, options, batteryCase(n));
}

/** A gradient, and four steps: whole batches and half of one. One step measures the norm. */
function* train(module: WebAssembly.Module, options: Vectors, battery: BatteryCase): Results {
  const { settings, parameters, examples, threads } = battery;
  // An engine divides the work among its threads even if only one has started.
  const engine = createKernelEngine(module, settings, parameters, { ...options, threads });
  const sums = { loss: 0, correct: 0 };
  for (let step = 0; step < 4; step++) {
    const size = step === 2 ? (settings.batchSize + 1) >> 1 : settings.batchSize;
    const batch = Uint32Array.from({ length: size }, (_, i) => i + (step % FURTHER_EXAMPLES));
    const position = { epoch: 1, start: step * size, learningRate: 0.05, measureNorm: step === 1 };
    if (step === 0) {
      const gradient = new Float32Array(parameters.length);
      engine.gradient(gradient, examples, batch, position);
      yield gradient;
    }
    engine.step(examples, batch, position, sums);
    yield Float64Array.of(sums.loss, sums.correct);
  }
  yield Float64Array.of(engine.gradientNorm());
  for (const vector of stateVectors(engine.exportState())) yield Float32Array.from(vector);
  yield* predict(module, options, battery, engine.parameters);
}

/** An evaluation, and predictions of bytes and of fractions; these may be −0. */
function* predict(
  module: WebAssembly.Module,
  options: Vectors,
  { settings: { architecture, activation, standardization }, examples }: BatteryCase,
  parameters: Parameters,
): Results {
  const kernel = createKernelForward(module, architecture, activation, parameters, standardization, options);
  const sums = { loss: 0, correct: 0 };
  kernel.evaluate(sums, examples, Uint32Array.from(examples.labels.keys()));
  yield Float64Array.of(sums.loss, sums.correct);
  const fractions = Float32Array.from(examples.pixels, (x, i) => (i % 5 ? x * 0.37 : -0));
  const inputs = valueCount(architecture.inputShape);
  const { classes } = architecture;
  for (const pixels of [examples.pixels, fractions, fractions.subarray(0, inputs)]) {
    const length = (pixels.length / inputs) * classes;
    const [logits, probabilities] = [new Float32Array(length), new Float32Array(length)];
    kernel.forward(logits, probabilities, pixels);
    yield logits;
    yield probabilities;
  }
}

/**
 * Returns a step of the default network. Its time is to be measured, and decides for networks of all images: in images
 * without zeros, as colour images are, more is computed, so these networks gain more by wide vectors (measured for 28×28,
 * 20×44, 32×32×3 and 64×64×3). The battery has images in colour, so their bits are compared as well.
 */
export function createTypicalStep(module: WebAssembly.Module, options: Vectors): () => void {
  const { settings, parameters, examples } = typicalCase();
  const engine = createKernelEngine(module, settings, parameters, options);
  const batch = Uint32Array.from({ length: settings.batchSize }, (_, i) => i);
  const position = { epoch: 1, start: 0, learningRate: 0, measureNorm: false };
  const sums = { loss: 0, correct: 0 };
  return () => engine.step(examples, batch, position, sums);
}
