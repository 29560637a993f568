/** Predictions of labelled images. All metrics are computed from them. */

import { createLabels, type Labels } from '../examples/labels.ts';
import type { Architecture } from '../network/architecture.ts';
import { valueCount } from '../network/image-shape.ts';
import { argmax, crossEntropy } from '../reference/cross-entropy.ts';
import type { Examples, Pixels } from '../training/engine.ts';
import { checkExamples } from '../training/engine.ts';

/** One entry per image, in the order of the images. */
export interface Predictions {
  readonly labels: Labels;
  /** The most probable class; the lowest index if several are equal. */
  readonly predicted: Labels;
  /** The probability of the predicted class; 0 if it is NaN. */
  readonly confidences: Float32Array;
  /** Cross-entropy, in nats. */
  readonly losses: Float64Array;
}

/** Images per chunk, to bound the memory of the outputs. */
const CHUNK_IMAGES = 1000;

/**
 * The loss is computed from the logits, because the probabilities would give log 0 for a confident mistake.
 * @param forward writes logits and probabilities (n × classes, row-major) of n × d0 pixels
 * @throws RangeError when the examples do not have these inputs and classes
 */
export function collectPredictions(
  forward: (logits: Float32Array, probabilities: Float32Array, pixels: Pixels) => void,
  examples: Examples,
  architecture: Architecture,
): Predictions {
  checkExamples(examples, architecture);
  const inputs = valueCount(architecture.inputShape);
  const { classes } = architecture;
  const { labels } = examples;
  const count = labels.length;
  const predicted = createLabels(classes, count);
  const confidences = new Float32Array(count);
  const losses = new Float64Array(count);
  const row = new Float64Array(classes);
  const logits = new Float32Array(Math.min(count, CHUNK_IMAGES) * classes);
  const probabilities = new Float32Array(logits.length);
  for (let start = 0; start < count; start += CHUNK_IMAGES) {
    const end = Math.min(start + CHUNK_IMAGES, count);
    const [z, p] = [logits, probabilities].map((rows) => rows.subarray(0, (end - start) * classes));
    forward(z!, p!, examples.pixels.subarray(start * inputs, end * inputs));
    for (let n = start, at = 0; n < end; n++, at += classes) {
      row.set(z!.subarray(at, at + classes));
      const best = argmax(row);
      predicted[n] = best;
      confidences[n] = p![at + best]! || 0;
      losses[n] = crossEntropy(row, labels[n]!);
    }
  }
  return { labels, predicted, confidences, losses };
}
