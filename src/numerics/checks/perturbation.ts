/** A parameter to change, and what the change does. */

/** Parameter `index` of a block of the packed vector, the blocks being numbered from 0. */
export interface Coordinate {
  block: number;
  index: number;
}

export interface Perturbation {
  loss: number;
  /** Whether a pre-activation crossed a kink at 0, or a maximum another value, where the loss is not smooth. */
  crossed: boolean;
}
