/** A fully connected layer on one example. It lists its non-zero inputs, and skips the others. */
import { type ActiveValues, createActiveValues } from '../active-values.ts';
import { linear, linearBackward, linearBackwardInput } from '../linear.ts';
import { type BlockViews, createValues, type ReferenceLayer, type Values } from './interface.ts';

/** Makes the list of the inputs from the output of the layer below. */
export type ListInputs = (inputs: ActiveValues) => void;

export interface DenseLayer extends ReferenceLayer {
  /** a, the activated input. */
  readonly inputs: ActiveValues;
  readonly weights: BlockViews;
  readonly biases: BlockViews;
  /** `alive` (inputs) ← 1 for each input with a value or a derivative other than 0. */
  markAlive(alive: Uint8Array): void;
}

/**
 * z = W a + b;  dW = dz aᵀ;  db = dz;  ∂objective/∂output of the layer below = (Wᵀ dz) ⊙ the derivatives of a.
 * @param below null if the inputs are pixels, whose gradient is not computed
 * @param base b, or the biases with the mean of the pixels folded in
 */
export function createDense(
  below: Values | null,
  weights: BlockViews,
  biases: BlockViews,
  base: BlockViews['values'],
  list: ListInputs,
): DenseLayer {
  const values = createValues(base.length);
  const { output: z, dOutput: dz } = values;
  const inputs = createActiveValues(weights.values.length / base.length);
  return {
    ...values,
    inputs,
    weights,
    biases,
    forward() {
      list(inputs);
      linear(z, base, weights.values, inputs);
    },
    backward() {
      if (below !== null) linearBackwardInput(below.dOutput, weights.values, dz, inputs);
    },
    addGradient() {
      if (weights.gradient === null || biases.gradient === null) return;
      linearBackward(weights.gradient, biases.gradient, dz, inputs);
    },
    markAlive(alive) {
      for (let k = 0; k < inputs.count; k++) alive[inputs.indices[k]!] = 1;
    },
  };
}
