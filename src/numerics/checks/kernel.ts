/** Comparison of a faster engine with the reference on the same batch, weights and masks. */

import { ACTIVATIONS } from '../network/activations.ts';
import { initialize } from '../network/initialize.ts';
import { blocks, type Parameters } from '../network/layers.ts';
import { PURPOSE, randomBits } from '../random.ts';
import { createReferenceEngine } from '../reference/reference-engine.ts';
import type { CreateEngine, EngineSettings, Examples } from '../training/engine.ts';
import { PLAIN_SETTINGS } from '../training/engine.ts';

const STEP_POSITION = { epoch: 1, start: 0, learningRate: 0, measureNorm: false };

/**
 * Largest ‖g − g64‖ / ‖g64‖ of any block of the gradient, g being the engine's. 0 / 0 counts as 0, NaN or ∞ as
 * Number.MAX_VALUE. Each example gets the class after its own: if a network is certain of the label, p − 1 consists of
 * rounding alone, and even a correct engine would show a large difference. For the same reason teachers have at most half
 * of the target.
 */
export function engineDifference(
  createEngine: CreateEngine,
  settings: EngineSettings,
  parameters: Parameters,
  examples: Examples,
  batch: Uint32Array,
): number {
  // Both start from rounded parameters, so that their rounding is not measured.
  const rounded = Float32Array.from(parameters);
  const reference = new Float64Array(rounded.length);
  const gradient = new Float32Array(rounded.length);
  const classes = settings.layerSizes.at(-1)!;
  const mislabelled = { ...examples, labels: examples.labels.map((label) => (label + 1) % classes) };
  // The optimizer does not affect the gradient, but its moments would take memory.
  const { distillation } = settings;
  const plain = {
    ...settings,
    optimizer: PLAIN_SETTINGS.optimizer,
    distillation: distillation && { ...distillation, weight: distillation.weight / 2 },
  };
  createReferenceEngine(plain, rounded).gradient(reference, mislabelled, batch, STEP_POSITION);
  createEngine(plain, rounded).gradient(gradient, mislabelled, batch, STEP_POSITION);
  let largest = 0;
  for (const { start, end } of blocks(settings.layerSizes)) {
    let [differences, squares] = [0, 0];
    for (let i = start; i < end; i++) {
      differences += (gradient[i]! - reference[i]!) ** 2;
      squares += reference[i]! ** 2;
    }
    const difference = differences === 0 ? 0 : Math.sqrt(differences / squares);
    largest = Math.max(largest, Number.isFinite(difference) ? difference : Number.MAX_VALUE);
  }
  return largest;
}

const SELF_CHECK_SIZES = [784, 22, 13, 10];
const SELF_CHECK_EXAMPLES = 19;

/** Largest difference over small networks of every activation, with widths that do not fill vector registers. */
export function selfCheck(createEngine: CreateEngine): number {
  const examples = syntheticExamples(SELF_CHECK_EXAMPLES);
  const batch = Uint32Array.from(examples.labels.keys());
  const parameters = initialize('glorot', SELF_CHECK_SIZES, 1);
  const differences = ACTIVATIONS.map((activation) => {
    const settings: EngineSettings = {
      ...PLAIN_SETTINGS,
      layerSizes: SELF_CHECK_SIZES,
      activation,
      standardization: { mean: 0.3, std: 0.4 },
      batchSize: SELF_CHECK_EXAMPLES,
    };
    return engineDifference(createEngine, settings, parameters, examples, batch);
  });
  return Math.max(...differences);
}

/** Random examples; half of the pixels are zero, as in real images. */
function syntheticExamples(count: number): Examples {
  const pixels = Uint8Array.from({ length: count * SELF_CHECK_SIZES[0]! }, (_, i) => {
    const bits = randomBits(0, PURPOSE.coordinateSample, 0, i);
    return bits & 256 ? bits & 255 : 0;
  });
  return { pixels, labels: Uint8Array.from({ length: count }, (_, n) => n % 10) };
}
