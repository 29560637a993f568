/** What computes a training step. The reference serves it in float64; a faster engine serves the same. */
import type { LayerSizes, Network, Parameters } from './network.ts';

/** Rows of d0 pixels, 0–255. Whole numbers as uint8; float32 where a client sends fractions. */
export type Pixels = Uint8Array | Float32Array;

/** Labelled images: row n of `pixels` (n × d0, 0–255) is of class `labels[n]`. */
export interface Examples {
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

/**
 * Checked once, so that no inner loop has to.
 * @throws RangeError when a row is not of d0 pixels, or a label is not one of the classes.
 */
export function checkExamples({ pixels, labels }: Examples, sizes: LayerSizes): void {
  const [inputs, classes] = [sizes[0]!, sizes.at(-1)!];
  if (pixels.length !== labels.length * inputs) {
    throw new RangeError(`${labels.length} images of ${inputs} pixels cannot have ${pixels.length} pixels`);
  }
  const outOfRange = labels.find((label) => label >= classes);
  if (outOfRange !== undefined) throw new RangeError(`label ${outOfRange} is not one of ${classes} classes`);
}

/** Sums over the examples of a batch: cross-entropy in nats, and how many were classified rightly. */
export interface BatchSums {
  loss: number;
  correct: number;
}

/** PyTorch's optimizers. Weight decay is the optimizer's own and, like l1 and l2, never touches biases. */
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

/** What augment.ts does to each picture. `noise` is a standard deviation in 0–1, `erase` a probability. */
export interface Augmentation {
  readonly horizontalFlip: boolean;
  readonly shift: number;
  readonly noise: number;
  readonly erase: number;
}

/** What is minimised, besides the mean cross-entropy of the examples as they are. */
export interface ObjectiveSettings {
  /** Weight of l1 Σ|W|. */
  readonly l1: number;
  /** Weight of (l2 / 2) Σ‖W‖². */
  readonly l2: number;
  /** Share of hidden units left out at each example, 0 ≤ dropout < 1. */
  readonly dropout: number;
  /** ε of the targets (1 − ε) onehot + ε / K. */
  readonly labelSmoothing: number;
  /** One a class. */
  readonly classWeights: Float64Array | null;
  readonly augmentation: Augmentation;
}

/** Cross-entropy and nothing else. */
export const PLAIN_OBJECTIVE: ObjectiveSettings = {
  l1: 0,
  l2: 0,
  dropout: 0,
  labelSmoothing: 0,
  classWeights: null,
  augmentation: { horizontalFlip: false, shift: 0, noise: 0, erase: 0 },
};

export interface EngineSettings extends Network, ObjectiveSettings {
  /** The most examples a step is given. */
  readonly batchSize: number;
  /** Of dropout and augmentation. */
  readonly seed: number;
  readonly optimizer: OptimizerSettings;
  /** The longest a gradient may be: longer ones are scaled down to it. */
  readonly clipNorm: number | null;
}

export interface StepPosition {
  readonly epoch: number;
  /** Position in the epoch of the batch's first example: what dropout and augmentation are indexed by. */
  readonly start: number;
  readonly learningRate: number;
  /** Whether `gradientNorm` is asked for after this step; steps that know it may take longer. */
  readonly measureNorm: boolean;
}

/** Everything an engine needs to go on bit for bit, in its own precision. */
export interface EngineState {
  readonly parameters: Parameters;
  /** The optimizer's moments, packed like the parameters; how many depends on the optimizer. */
  readonly moments: readonly Parameters[];
  /** Steps taken. */
  readonly steps: number;
  /** As `gradientNorm`: of a step that is over, so that it cannot be measured again. NaN before the first. */
  readonly gradientNorm: number;
}

export interface Engine {
  /** Goes with every model and checkpoint; parameters are only exchanged bit by bit between equal names. */
  readonly name: string;
  /** The packed vector as it is now, in the engine's own precision. Read it anew after each step. */
  readonly parameters: Parameters;
  /**
   * One update on the examples of the given indices; `sums` receives plain cross-entropy and correct answers of
   * the batch as they were before the update.
   * @throws RangeError when the batch is empty or larger than `batchSize`.
   */
  step(examples: Examples, batch: Uint32Array, position: StepPosition, sums: BatchSums): void;
  /** 2-norm of the objective's gradient, before clipping, in the last step that measured it. */
  gradientNorm(): number;
  /** `out` ← the objective's gradient at `position`, packed; nothing is updated. */
  gradient(out: Parameters, examples: Examples, batch: Uint32Array, position: StepPosition): void;
  /**
   * Adds to `sums` the loss and the hits of the given examples with the parameters as they are published, rounded to
   * float32. Left out where the engine is no faster than evaluate.ts.
   */
  evaluate?(sums: BatchSums, examples: Examples, indices: Uint32Array): void;
  /** Copies. */
  exportState(): EngineState;
  /** Of an engine of the same settings. @throws RangeError when its lengths do not fit. */
  importState(state: EngineState): void;
}

/** `initial` is copied. @throws RangeError when its length, or a setting, does not fit the layer sizes. */
export type CreateEngine = (settings: EngineSettings, initial: Parameters) => Engine;

/** How many vectors of moments an optimizer keeps. */
export function momentCount(optimizer: OptimizerSettings): number {
  if (optimizer.type === 'sgd') return optimizer.momentum === 0 ? 0 : 1;
  if (optimizer.type === 'rmsprop') return optimizer.momentum === 0 ? 1 : 2;
  return 2;
}
