/** Writes the options of a training to the kernel's memory: which field of the header holds each. */
import { type AugmentationPlan, planAugmentation } from '../examples/augment.ts';
import type { Distillation } from '../examples/distillation.ts';
import { dropoutThreshold } from '../examples/dropout.ts';
import { channelCount } from '../network/image-shape.ts';
import type { EngineSettings, OptimizerSettings } from '../training/engine.ts';
import { ADAM, RMSPROP, SGD } from './constants.ts';
import type { Kernel } from './kernel.ts';
import { vectorCount } from './layers-layout.ts';
import { imageCopy, type Layout } from './layout.ts';

/** Called once, before the first step. */
export function writeSettings(kernel: Kernel, layout: Layout, settings: EngineSettings): void {
  const { header, floats } = kernel;
  const { dropout, classWeights, distillation, architecture, augmentation } = settings;
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
  if (distillation !== null) writeTargets(kernel, layout, distillation, architecture.classes);
  const plan = planAugmentation(augmentation, architecture.inputShape);
  if (plan !== null) writeAugmentation(kernel, layout, plan);
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
  { shape, horizontalFlip, shift, warps, eraseThreshold, rectangles, noise }: AugmentationPlan,
): void {
  const copy = imageCopy(shape, shift);
  header.AUGMENTED = 1;
  header.IMAGE_HEIGHT = shape[0];
  header.IMAGE_WIDTH = shape[1];
  header.IMAGE_CHANNELS = channelCount(shape);
  header.COPY_LEFT = copy.left;
  header.COPY_STRIDE = copy.stride;
  header.FLIP = horizontalFlip ? 1 : 0;
  header.SHIFT = shift;
  header.ERASE_THRESHOLD = eraseThreshold;
  header.ERASE_SHAPES = layout.eraseShapes;
  header.ERASE_SHAPE_COUNT = rectangles.length / 2;
  bytes.set(rectangles, layout.eraseShapes);
  if (warps !== null) {
    header.WARP_TABLE = layout.warpTable;
    new Int32Array(bytes.buffer, layout.warpTable, warps.length).set(warps);
  }
  if (noise !== null) {
    header.NOISE_TABLE = layout.noiseTable;
    new Int16Array(bytes.buffer, layout.noiseTable, noise.length).set(noise);
  }
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
