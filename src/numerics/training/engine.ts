/** The interface of engines: the float64 reference and the float32 kernel. */

import type { Distillation } from '../examples/distillation.ts';
import type { Labels } from '../examples/labels.ts';
import type { Mixup } from '../examples/mixup.ts';
import type { Architecture } from '../network/architecture.ts';
import { valueCount } from '../network/image-shape.ts';
import type { Network, Parameters } from '../network/layers.ts';
import type { Ema } from './ema.ts';

/** Rows of d0 pixels, 0–255: uint8, or float32 if a client sends fractions. */
export type Pixels = Uint8Array | Float32Array;

/** Labelled images: row n of `pixels` (n × d0, 0–255) belongs to class `labels[n]`. */
export interface Examples {
  readonly pixels: Uint8Array;
  readonly labels: Labels;
}

/**
 * Validates examples once, so that inner loops need no checks.
 * @throws RangeError when a row does not have d0 pixels, or a label is not one of the classes.
 */
export function checkExamples({ pixels, labels }: Examples, architecture: Architecture): void {
  const inputs = valueCount(architecture.inputShape);
  const { classes } = architecture;
  if (pixels.length !== labels.length * inputs) {
    throw new RangeError(`${labels.length} images of ${inputs} pixels cannot have ${pixels.length} pixels.`);
  }
  const outOfRange = labels.find((label) => label >= classes);
  if (outOfRange !== undefined) throw new RangeError(`Label ${outOfRange} is not one of ${classes} classes.`);
}

/**
 * Sums over the examples of a batch: cross-entropy in nats, and the number of correct predictions. The loss of a mixed
 * example is also mixed; its prediction is correct if it is the class with the larger weight.
 */
export interface BatchSums {
  loss: number;
  correct: number;
}

/** Findings about a network on the examples inspected so far. */
export interface Findings {
  /**
   * For each convolution, then for each hidden fully connected layer, 1 for every channel or unit with a value or derivative
   * other than 0 on one of the examples.
   */
  readonly alive: readonly Uint8Array[];
  /** The predicted classes. */
  readonly predicted: Set<number>;
}

/** Optimizers as in PyTorch, except that weight decay, like l1 and l2, never applies to biases. */
export type OptimizerSettings =
  | {
      readonly type: 'sgd';
      readonly momentum: number;
      readonly nesterov: boolean;
      readonly weightDecay: number;
    }
  | {
      readonly type: 'rmsprop';
      readonly momentum: number;
      readonly weightDecay: number;
      readonly alpha: number;
      readonly epsilon: number;
    }
  | {
      readonly type: 'adam' | 'adamw';
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly weightDecay: number;
    };

/**
 * Settings of augment.ts. `rotation` is the largest angle in degrees, `scale` the largest relative change of size, `noise` a
 * standard deviation in 0–1, `erase` a probability.
 */
export interface Augmentation {
  readonly horizontalFlip: boolean;
  readonly shift: number;
  readonly rotation: number;
  readonly scale: number;
  readonly noise: number;
  readonly erase: number;
}

/** Everything that the objective adds to, or changes in, the mean cross-entropy. */
export interface ObjectiveSettings {
  /** Factor of Σ|W|. */
  readonly l1: number;
  /** Factor of ½ Σ‖W‖². */
  readonly l2: number;
  /** Probability that a hidden unit is dropped, drawn for each example, 0 ≤ dropout < 1. */
  readonly dropout: number;
  /** ε of the targets (1 − ε) onehot + ε / K. */
  readonly labelSmoothing: number;
  /** One weight per class. */
  readonly classWeights: Float64Array | null;
  readonly augmentation: Augmentation;
  /** Mixes the augmented images of a batch, and their losses. */
  readonly mixup: Mixup | null;
  /** Targets from other networks, besides the labels. */
  readonly distillation: Distillation | null;
}

export interface EngineSettings extends Network, ObjectiveSettings {
  /** Largest number of examples of a step. */
  readonly batchSize: number;
  /** Seed of dropout, augmentation and mixup. */
  readonly seed: number;
  readonly optimizer: OptimizerSettings;
  /** Longer gradients are scaled down to this 2-norm. */
  readonly clipNorm: number | null;
  /** Average of the parameters of all steps. It becomes the model. */
  readonly ema: Ema | null;
}

/** Plain gradient descent on plain cross-entropy, for a ReLU network: every option is off. */
export const PLAIN_SETTINGS: Omit<EngineSettings, 'architecture' | 'batchSize'> = {
  activation: 'relu',
  standardization: null,
  seed: 0,
  optimizer: { type: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 },
  l1: 0,
  l2: 0,
  dropout: 0,
  labelSmoothing: 0,
  clipNorm: null,
  classWeights: null,
  augmentation: { horizontalFlip: false, shift: 0, rotation: 0, scale: 0, noise: 0, erase: 0 },
  mixup: null,
  distillation: null,
  ema: null,
};

export interface StepPosition {
  readonly epoch: number;
  /** Position in the epoch of the batch's first example; indexes dropout, augmentation and mixup. */
  readonly start: number;
  readonly learningRate: number;
  /** Whether this step measures the norm for `gradientNorm`. It may then take longer. */
  readonly measureNorm: boolean;
}

/** The state from which an engine continues bit for bit, in its own precision. */
export interface EngineState {
  /** The parameters that the steps update. */
  readonly parameters: Parameters;
  /** The average of the parameters; null without EMA. */
  readonly average: Parameters | null;
  /** The optimizer's moments, packed like the parameters; see `momentCount`. */
  readonly moments: readonly Parameters[];
  /** Steps taken. */
  readonly steps: number;
  /** The last measured gradient norm. It cannot be measured again later. NaN before the first. */
  readonly gradientNorm: number;
}

export interface Engine {
  /** Stored with every model and checkpoint; bits are comparable only between engines of the same name. */
  readonly name: string;
  /**
   * The packed parameters of the model, in the engine's own precision: their average with EMA, else the ones after the last
   * step. Read them anew after each step.
   */
  readonly parameters: Parameters;
  /**
   * Updates the parameters from the examples of the given indices. `sums` receives cross-entropy and correct predictions
   * of the batch before the update.
   * @throws RangeError when the batch is empty or larger than `batchSize`.
   */
  step(examples: Examples, batch: Uint32Array, position: StepPosition, sums: BatchSums): void;
  /** 2-norm of the objective's gradient, before clipping, in the last step that measured it. */
  gradientNorm(): number;
  /**
   * `out` ← the objective's packed gradient at `position`, without an update. EMA does not change it.
   * @throws RangeError when the batch is empty or larger than `batchSize`.
   */
  gradient(out: Parameters, examples: Examples, batch: Uint32Array, position: StepPosition): void;
  /**
   * Adds to `sums` the loss and the correct predictions of the given examples, with the parameters rounded to float32 as
   * in a published model. Undefined if the engine is not faster than evaluate.ts.
   */
  evaluate?(sums: BatchSums, examples: Examples, indices: Uint32Array): void;
  /** Adds the findings of the given examples to `findings`, with the same parameters as `evaluate`. Undefined like `evaluate`. */
  inspect?(findings: Findings, examples: Examples, indices: Uint32Array): void;
  /** A copy of the state. */
  exportState(): EngineState;
  /** Restores the state of an engine with the same settings. @throws RangeError when lengths do not fit. */
  importState(state: EngineState): void;
}

/** Copies `initial`. @throws RangeError when its length, or a setting, does not fit the layer sizes. */
export type CreateEngine = (settings: EngineSettings, initial: Parameters) => Engine;

/** Number of moment vectors that an optimizer keeps. */
export function momentCount(optimizer: OptimizerSettings): number {
  if (optimizer.type === 'sgd') return optimizer.momentum === 0 ? 0 : 1;
  if (optimizer.type === 'rmsprop') return optimizer.momentum === 0 ? 1 : 2;
  return 2;
}

/** Number of packed vectors in an engine's state besides the parameters: the moments, and the average. */
export function stateVectorCount({ optimizer, ema }: Pick<EngineSettings, 'optimizer' | 'ema'>): number {
  return momentCount(optimizer) + (ema === null ? 0 : 1);
}

/** All vectors of a state, in the order of a checkpoint. */
export function stateVectors({ parameters, moments, average }: EngineState): Parameters[] {
  return [parameters, ...moments, ...(average === null ? [] : [average])];
}

/** @throws RangeError if only one of an engine and a state averages the parameters */
export function checkAverage({ ema }: Pick<EngineSettings, 'ema'>, { average }: EngineState): void {
  if ((average === null) === (ema === null)) return;
  const names = ema === null ? ['has no', 'with'] : ['has an', 'without'];
  throw new RangeError(
    `This engine ${names[0]} average of the parameters, but the state is ${names[1]} one.`,
  );
}

/** @throws RangeError when the batch is empty or larger than `batchSize` */
export function checkBatch({ batchSize }: Pick<EngineSettings, 'batchSize'>, { length }: Uint32Array): void {
  if (length >= 1 && length <= batchSize) return;
  throw new RangeError(`A batch of this engine must have 1 to ${batchSize} examples, but has ${length}.`);
}
