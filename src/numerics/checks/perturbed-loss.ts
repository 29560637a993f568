/** The loss with one parameter perturbed, computed from what that one parameter changes. */

import { selectLabels } from '../examples/labels.ts';
import type { ActivationFunction } from '../network/activations.ts';
import { blocks } from '../network/architecture.ts';
import { channelStandardizations, type Network } from '../network/layers.ts';
import type { ActiveValues } from '../reference/active-values.ts';
import { crossEntropy } from '../reference/cross-entropy.ts';
import { createExamplePass, forwardExample, prepare } from '../reference/example-pass.ts';
import { linear } from '../reference/linear.ts';
import type { Examples } from '../training/engine.ts';
import type { Coordinate, Perturbation } from './perturbation.ts';
import { createPerturbedVolumes } from './perturbed-volumes.ts';

/**
 * Changing W_l[i, j] by δ changes z_l[n, i] by δ a_{l−1}[n, j] (for pixels, the standardized value) and nothing else of
 * layer l; an example whose input is zero does not change. In the layers above, z_m changes by W_m Δa_{m−1}, with Δa the
 * list of changed units. A parameter below the fully connected layers changes whole volumes: see perturbed-volumes.ts.
 * `parameters` (packed) must not change during a call and are not written.
 */
export function createPerturbedLoss(
  network: Network,
  parameters: Float64Array,
  examples: Examples,
  indices: Uint32Array,
) {
  const pass = createExamplePass(network, parameters);
  prepare(pass);
  const { dense: layers, activation } = pass;
  const last = layers.length - 1;
  const firstDense = blocks(network.architecture).length - 2 * layers.length;
  const channels = channelStandardizations(network.standardization);
  const labels = selectLabels(examples.labels, indices);
  const volumes = pass.image && createPerturbedVolumes(pass, indices.length);
  /** z of every example n and layer l: base[n][l] (d_{l+1}) */
  const base = Array.from(indices, (row, n) => {
    forwardExample(pass, examples.pixels, row);
    volumes?.keep(n);
    return layers.map(({ output }) => output.slice());
  });
  const baseLosses = Float64Array.from(base, (z, n) => crossEntropy(z[last]!, labels[n]!));

  function inputValue(n: number, layer: number, input: number | null): number {
    if (input === null) return 1;
    if (layer > 0) return activation.value(base[n]![layer - 1]![input]!);
    if (volumes !== null) return volumes.last(n)[input]!;
    const { mean, std } = channels[input % channels.length]!;
    return (examples.pixels[indices[n]! * layers[0]!.inputs.indices.length + input]! / 255 - mean) / std;
  }

  /** Loss of example n with pre-activation `unit` of `layer` changed by `shift`. */
  function exampleLoss(out: Perturbation, n: number, layer: number, unit: number, shift: number): number {
    const z = base[n]!;
    const label = labels[n]!;
    if (layer === last) {
      const logits = layers[last]!.output;
      logits.set(z[last]!);
      logits[unit]! += shift;
      return crossEntropy(logits, label);
    }
    let changed = layers[layer + 1]!.inputs;
    changed.count = 0;
    appendChange(out, changed, activation, unit, z[layer]![unit]!, z[layer]![unit]! + shift);
    for (let l = layer + 1; changed.count > 0; l++) {
      const moved = layers[l]!.output;
      linear(moved, z[l]!, layers[l]!.weights.values, changed);
      if (l === last) return crossEntropy(moved, label);
      changed = layers[l + 1]!.inputs;
      changed.count = 0;
      for (let i = 0; i < moved.length; i++) appendChange(out, changed, activation, i, z[l]![i]!, moved[i]!);
    }
    return baseLosses[n]!;
  }

  /** Loss of example n with a parameter of a fully connected layer changed by `delta`. */
  function denseLoss(out: Perturbation, n: number, { block, index }: Coordinate, delta: number): number {
    // Blocks alternate: weights, biases, weights, …
    const layer = (block - firstDense) >> 1;
    const inputs = layers[layer]!.inputs.indices.length;
    const isBias = ((block - firstDense) & 1) === 1;
    const shift = delta * inputValue(n, layer, isBias ? null : index % inputs);
    if (shift === 0) return baseLosses[n]!;
    return exampleLoss(out, n, layer, isBias ? index : Math.floor(index / inputs), shift);
  }

  return {
    /** Mean cross-entropy of the unperturbed network. */
    loss: baseLosses.reduce((sum, loss) => sum + loss, 0) / base.length,
    /** max |z_L| over the examples; it determines the rounding error of the differences. */
    largestLogit: Math.max(...base.map((z) => z[last]!.reduce((max, x) => Math.max(max, Math.abs(x)), 0))),
    /** `out` ← the mean cross-entropy with the parameter changed by `delta`. */
    evaluate(out: Perturbation, coordinate: Coordinate, delta: number): void {
      out.crossed = false;
      let sum = 0;
      for (let n = 0; n < base.length; n++) {
        sum +=
          volumes === null || coordinate.block >= firstDense
            ? denseLoss(out, n, coordinate, delta)
            : crossEntropy(volumes.logits(out, n, coordinate, delta), labels[n]!);
      }
      out.loss = sum / base.length;
    },
  };
}

/** Appends Δa = act(after) − act(before) if it is not zero, and records whether the unit crossed a kink. */
function appendChange(
  out: Perturbation,
  changed: ActiveValues,
  { value, hasKink }: ActivationFunction,
  unit: number,
  before: number,
  after: number,
): void {
  if (hasKink && before > 0 !== after > 0) out.crossed = true;
  const change = value(after) - value(before);
  if (change === 0) return;
  changed.indices[changed.count] = unit;
  changed.values[changed.count++] = change;
}
