/** What computes a training step. The reference serves it in float64; a faster engine serves the same. */
import type { LayerSizes, Parameters } from './network.ts';

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
  const stray = labels.find((label) => label >= classes);
  if (stray !== undefined) throw new RangeError(`label ${stray} is not one of ${classes} classes`);
}

/** Sums over the examples of a batch: cross-entropy in nats, and how many were classified rightly. */
export interface BatchSums {
  loss: number;
  correct: number;
}

export interface EngineSettings {
  readonly layerSizes: LayerSizes;
  /** The most examples a step is given. */
  readonly batchSize: number;
  /** Weight of the L2 penalty (l2 / 2) Σ‖W‖², biases excepted. */
  readonly l2: number;
}

export interface Engine {
  /** Goes with every model and checkpoint; parameters are only exchanged bit by bit between equal names. */
  readonly name: string;
  /** The packed vector in the engine's own precision: live, changed by each step. */
  readonly parameters: Parameters;
  /**
   * One update on the examples of the given indices; `sums` receives loss and correct of the batch as they
   * were before the update.
   * @throws RangeError when the batch is empty or larger than `batchSize`.
   */
  step(examples: Examples, batch: Uint32Array, learningRate: number, sums: BatchSums): void;
  /** 2-norm of the objective's gradient in the last step. */
  gradientNorm(): number;
}

/** `initial` is copied. */
export type CreateEngine = (settings: EngineSettings, initial: Float64Array) => Engine;
