/** What penalties on the weights add to their gradient. Biases have none. */

/** dW += l1 sign(W), from l1 Σ|W|; sign(0) = 0. */
export function addL1(dWeights: Float64Array, weights: Float64Array, l1: number): void {
  for (let i = 0; i < weights.length; i++) dWeights[i]! += l1 * Math.sign(weights[i]!);
}

/** dW += l2 W, from (l2 / 2) ‖W‖² */
export function addL2(dWeights: Float64Array, weights: Float64Array, l2: number): void {
  for (let i = 0; i < weights.length; i++) dWeights[i]! += l2 * weights[i]!;
}
