/** Comparison of a faster engine with the reference on the same batch, weights and masks. */

import { ACTIVATIONS } from '../network/activations.ts';
import { blocks, fullyConnected } from '../network/architecture.ts';
import { valueCount } from '../network/image-shape.ts';
import { initialize } from '../network/initialize.ts';
import type { Parameters } from '../network/layers.ts';
import { PURPOSE, randomBits } from '../random.ts';
import { createReferenceEngine } from '../reference/reference-engine.ts';
import type { CreateEngine, EngineSettings, Examples } from '../training/engine.ts';
import { PLAIN_SETTINGS } from '../training/engine.ts';

const STEP_POSITION = { epoch: 1, start: 0, learningRate: 0, measureNorm: false };

/**
 * Largest ‖g − g64‖ / ‖g64‖ of any block of the gradient, g being the engine's. 0 / 0 counts as 0, NaN or ∞ as
 * Number.MAX_VALUE. Each example gets another class than its own, the first one if it can: if a network is certain of the
 * label, p − 1 consists of rounding alone, and even a correct engine would show a large difference. For the same reason
 * teachers have at most half of the target, and the batch should be odd: then what the examples add to the bias of the first
 * class cannot cancel.
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
  const mislabelled = { ...examples, labels: examples.labels.map((label) => (label === 0 ? 1 : 0)) };
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
  for (const { start, end } of blocks(settings.architecture)) {
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

const GREY: EngineSettings = {
  ...PLAIN_SETTINGS,
  architecture: fullyConnected([20, 21], [22, 13, 10]),
  standardization: { mean: 0.3, std: 0.4 },
  batchSize: 19,
};
const COLOUR: EngineSettings = {
  ...GREY,
  activation: 'identity',
  architecture: fullyConnected([9, 7, 3], [22, 13, 10]),
  batchSize: 7,
  standardization: { mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.25] },
  augmentation: { ...PLAIN_SETTINGS.augmentation, horizontalFlip: true, shift: 2, rotation: 30 },
};
const CONVOLUTIONAL: EngineSettings = {
  ...PLAIN_SETTINGS,
  architecture: {
    inputShape: [9, 7, 3],
    convolutions: [[8], [20]],
    norm: 'group',
    hidden: [13],
    classes: 10,
  },
  batchSize: 2,
};

/**
 * Largest difference over small networks of every activation, with widths that do not fill vector registers. One has augmented
 * colour images instead of grey ones: as a further network it would make the check, at every start, a third longer.
 * One further network has convolutions.
 */
export function selfCheck(createEngine: CreateEngine): number {
  const grey = ACTIVATIONS.filter((activation) => activation !== COLOUR.activation);
  const ofGrey = differenceOf(grey.map((activation) => ({ ...GREY, activation })));
  return Math.max(ofGrey, differenceOf([COLOUR]), differenceOf([CONVOLUTIONAL]));

  /** Returns the largest difference of networks with the same layers. */
  function differenceOf(cases: readonly EngineSettings[]): number {
    const { architecture, batchSize } = cases[0]!;
    const examples = syntheticExamples(batchSize, valueCount(architecture.inputShape));
    const batch = Uint32Array.from(examples.labels.keys());
    const parameters = initialize('glorot', architecture, 1);
    return Math.max(
      ...cases.map((settings) => engineDifference(createEngine, settings, parameters, examples, batch)),
    );
  }
}

/** Random examples; half of the pixels are zero, as in real images. */
function syntheticExamples(count: number, inputs: number): Examples {
  const pixels = Uint8Array.from({ length: count * inputs }, (_, i) => {
    const bits = randomBits(0, PURPOSE.coordinateSample, 0, i);
    return bits & 256 ? bits & 255 : 0;
  });
  return { pixels, labels: Uint8Array.from({ length: count }, (_, n) => n % 10) };
}
