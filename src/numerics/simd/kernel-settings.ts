/** Writes the options of a training to the kernel's memory: which field of the header holds each. */
import { type AugmentationPlan, PIXELS, planAugmentation } from '../examples/augment.ts';
import type { Distillation } from '../examples/distillation.ts';
import { dropoutThreshold } from '../examples/dropout.ts';
import type { EngineSettings, OptimizerSettings } from '../training/engine.ts';
import { ADAM, RMSPROP, SGD } from './constants.ts';
import type { Kernel } from './kernel.ts';
import { type Layout, vectorCount } from './layout.ts';

/**
 * Called once, before the first step.
 * @throws RangeError when images to augment do not have 784 pixels
 */
export function writeSettings(kernel: Kernel, layout: Layout, settings: EngineSettings): void {
  const { header, floats } = kernel;
  const { dropout, classWeights, distillation, layerSizes } = settings;
  header.SEED = settings.seed;
  header.DROPOUT_THRESHOLD = dropoutThreshold(dropout);
  header.DROPOUT_SCALE = 1 / (1 - dropout);
  header.L1 = settings.l1;
  header.L2 = settings.l2;
  header.SMOOTHING = settings.labelSmoothing;
  header.CLIP_NORM = settings.clipNorm ?? 0;
  header.AVERAGE_DELTA = layout.averageDelta;
  header.PARTNER_ROWS = layout.partnerRows;
  header.PARTNER_STRIDE = layout.partnerStride;
  if (classWeights !== null) {
    header.CLASS_WEIGHTS = layout.classWeights;
    floats.set(classWeights, layout.classWeights / 4);
  }
  if (distillation !== null) writeTargets(kernel, layout, distillation, layerSizes.at(-1)!);
  writeAugmentation(kernel, layout, planAugmentation(settings.augmentation), layerSizes[0]!);
  writeOptimizer(kernel, settings.optimizer);
}

function writeTargets(
  { header, floats }: Kernel,
  layout: Layout,
  { weight, targets }: Distillation,
  classes: number,
): void {
  header.TEACHER_WEIGHT = weight;
  header.TARGETS = layout.targets;
  const stride = 4 * vectorCount(classes);
  let to = layout.targets / 4;
  for (let at = 0; at < targets.length; at += classes, to += stride) {
    for (let k = 0; k < classes; k++) floats[to + k] = targets[at + k]!;
  }
}

function writeAugmentation(
  { header, bytes }: Kernel,
  layout: Layout,
  { horizontalFlip, shift, eraseThreshold, shapes, noise }: AugmentationPlan,
  inputs: number,
): void {
  const isAugmented = horizontalFlip || shift > 0 || eraseThreshold > 0 || noise !== null;
  if (isAugmented && inputs !== PIXELS) {
    throw new RangeError(`Only images of ${PIXELS} pixels can be augmented, not images of ${inputs}.`);
  }
  header.AUGMENTED = isAugmented ? 1 : 0;
  header.FLIP = horizontalFlip ? 1 : 0;
  header.SHIFT = shift;
  header.ERASE_THRESHOLD = eraseThreshold;
  header.ERASE_SHAPES = layout.eraseShapes;
  header.ERASE_SHAPE_COUNT = shapes.length / 2;
  bytes.set(shapes, layout.eraseShapes);
  if (noise === null) return;
  header.NOISE_TABLE = layout.noiseTable;
  new Int16Array(bytes.buffer, layout.noiseTable, noise.length).set(noise);
}

function writeOptimizer({ header }: Kernel, optimizer: OptimizerSettings): void {
  // AdamW decays the weights in each step by KEEP_WEIGHTS, not by the gradient.
  header.WEIGHT_DECAY = optimizer.type === 'adamw' ? 0 : optimizer.weightDecay;
  if (optimizer.type === 'sgd') {
    header.OPTIMIZER = SGD;
    header.NESTEROV = optimizer.nesterov ? 1 : 0;
    header.MOMENTUM = optimizer.momentum;
    return;
  }
  header.EPSILON = optimizer.epsilon;
  if (optimizer.type === 'rmsprop') {
    header.OPTIMIZER = RMSPROP;
    header.MOMENTUM = optimizer.momentum;
    header.ALPHA = optimizer.alpha;
    header.ONE_MINUS_ALPHA = 1 - optimizer.alpha;
  } else {
    header.OPTIMIZER = ADAM;
    header.BETA1 = optimizer.beta1;
    header.ONE_MINUS_BETA1 = 1 - optimizer.beta1;
    header.BETA2 = optimizer.beta2;
    header.ONE_MINUS_BETA2 = 1 - optimizer.beta2;
  }
}
