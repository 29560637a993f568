/** The interface of the reference's layers. Each computes one example at a time. */
import type { Parameters } from '../../network/layers.ts';

/** Values between two layers. Volumes are stored channel by channel: value (c, y, x) is number c·H·W + y·W + x. */
export interface Values {
  /** The next forward pass overwrites them. */
  readonly output: Float64Array;
  /** ∂objective/∂output; the layer above writes it, or the loss. */
  readonly dOutput: Float64Array;
}

export interface ReferenceLayer extends Values {
  /** Computes the output from the output of the layer below. */
  forward(): void;
  /** Overwrites the `dOutput` of the layer below with the product of its own and the derivative of its output. */
  backward(): void;
  /** Adds ∂objective/∂parameters to the gradient. Absent without parameters. */
  addGradient?(): void;
  /**
   * Adds to the output what it changes by if one parameter changes by `delta`. This is exact, since the output of every layer
   * is linear in each parameter. The layer below must have its output. `block` is the position among the blocks of the layer.
   */
  addChange?(block: number, index: number, delta: number): void;
  /** For each value of an activation with a kink at 0, 1 if its input is positive, else 0. */
  readonly pieces?: Uint8Array;
  /** For each value of a pooling layer, the position of its input. */
  readonly winners?: Int32Array;
}

/** Views of one block of the packed vectors. */
export interface BlockViews {
  readonly values: Parameters;
  /** Null for passes without a gradient. */
  readonly gradient: Float64Array | null;
}

/** Zeros for the values of a layer. */
export const createValues = (size: number): Values => ({
  output: new Float64Array(size),
  dOutput: new Float64Array(size),
});
