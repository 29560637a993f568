/** The forward pass in float64: logits and probabilities of images. */

import { softmax } from '../reference/cross-entropy.ts';
import { createExamplePass, forwardExample, prepare } from '../reference/example-pass.ts';
import type { Pixels } from '../training/engine.ts';
import { valueCount } from './image-shape.ts';
import type { Network, Parameters } from './layers.ts';

/**
 * Writes logits and probabilities, n × classes each, row-major, of `pixels`, n × d0. Calls share scratch memory.
 * @throws RangeError when the lengths do not fit one n.
 */
export type Forward = (logits: Parameters, probabilities: Parameters, pixels: Pixels) => void;

/**
 * Computes in float64 whatever the precision of the packed parameters. It keeps a view of them, so they must not change.
 */
export function createForward(network: Network, parameters: Parameters): Forward {
  const pass = createExamplePass(network, parameters);
  prepare(pass);
  const { inputShape, classes } = network.architecture;
  const inputs = valueCount(inputShape);
  return (logits, probabilities, pixels) => {
    const rows = pixels.length / inputs;
    for (const output of [logits, probabilities]) {
      if (output.length !== rows * classes) {
        throw new RangeError(
          `${pixels.length} pixels, ${inputs} per image, need an output of ${classes} numbers per image, but it has ${output.length} in total.`,
        );
      }
    }
    for (let n = 0; n < rows; n++) {
      const z = forwardExample(pass, pixels, n);
      logits.set(z, n * classes);
      softmax(z, z);
      probabilities.set(z, n * classes);
    }
  };
}
