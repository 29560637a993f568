/** What an engine of the second stage is told, once and before each step. */
import type { BatchSums, Examples } from '../engine.ts';
import type { LayerSizes, Parameters } from '../network.ts';

export type Activation = 'relu' | 'leaky-relu' | 'tanh' | 'sigmoid' | 'identity';

/** Weight decay is the optimizer's own and never touches biases. */
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

/** Of the pixels / 255 of the training part: one mean and one standard deviation for all of them. */
export interface Standardization {
  readonly mean: number;
  readonly std: number;
}

/** What augment.ts does to each picture. `noise` is a standard deviation in 0–1, `erase` a probability. */
export interface Augmentation {
  readonly horizontalFlip: boolean;
  readonly shift: number;
  readonly noise: number;
  readonly erase: number;
}

export interface EngineSettings {
  readonly layerSizes: LayerSizes;
  /** The most examples a step is given, 1 … 1024. */
  readonly batchSize: number;
  readonly seed: number;
  readonly activation: Activation;
  readonly optimizer: OptimizerSettings;
  readonly l1: number;
  readonly l2: number;
  /** Share of hidden units dropped, 0 ≤ dropout < 1. */
  readonly dropout: number;
  readonly labelSmoothing: number;
  readonly clipNorm: number | null;
  /** One a class. */
  readonly classWeights: Float64Array | null;
  readonly standardization: Standardization | null;
  readonly augmentation: Augmentation;
}

export interface StepPosition {
  readonly epoch: number;
  /** Position in the epoch of the batch's first example: what augmentation and dropout are indexed by. */
  readonly start: number;
  readonly learningRate: number;
  /** Whether `gradientNorm` is asked for after this step; steps that know it may take longer. */
  readonly measureNorm: boolean;
}

/** Everything a training needs to go on bit for bit, in the engine's own precision. */
export interface EngineState {
  readonly parameters: Parameters;
  /** The optimizer's moments, packed like the parameters; how many depends on the optimizer. */
  readonly moments: readonly Parameters[];
  /** Steps taken. */
  readonly steps: number;
}

export interface TrainingEngine {
  readonly name: string;
  /** A copy of the packed vector as it is now. */
  readonly parameters: Parameters;
  /** One update; `sums` receives loss and correct of the batch as they were before it. */
  step(examples: Examples, batch: Uint32Array, position: StepPosition, sums: BatchSums): void;
  /** 2-norm of the objective's gradient, before clipping, in the last step that measured it. */
  gradientNorm(): number;
  /** `out` ← the gradient of the objective at `position`, packed; nothing is updated. */
  gradient(out: Parameters, examples: Examples, batch: Uint32Array, position: StepPosition): void;
  exportState(): EngineState;
  importState(state: EngineState): void;
}

/** How many vectors of moments an optimizer keeps. */
export function momentCount(optimizer: OptimizerSettings): number {
  if (optimizer.type === 'sgd') return optimizer.momentum === 0 ? 0 : 1;
  if (optimizer.type === 'rmsprop') return optimizer.momentum === 0 ? 1 : 2;
  return 2;
}
