/** What a network says of labelled images: all that its measures are computed from. */
import type { Examples, Pixels } from '../engine.ts';
import { checkExamples } from '../engine.ts';
import { argmax, crossEntropy } from '../reference/cross-entropy.ts';

/** One entry an image, in the order of the images. */
export interface Predictions {
  readonly labels: Uint8Array;
  /** The likeliest class; of equals the lowest. */
  readonly predicted: Uint8Array;
  /** The probability of the likeliest class, 0 where it is not a number. */
  readonly confidences: Float32Array;
  /** Cross-entropy, in nats. */
  readonly losses: Float64Array;
}

/** Bounds the memory that the outputs take, whatever the number of images. */
const CHUNK_IMAGES = 1000;

/**
 * @param forward writes logits and probabilities (n × classes, row-major) of n × d0 pixels
 * @throws RangeError when the examples are not of these inputs and classes
 */
export function collectPredictions(
  forward: (logits: Float32Array, probabilities: Float32Array, pixels: Pixels) => void,
  examples: Examples,
  inputs: number,
  classes: number,
): Predictions {
  checkExamples(examples, [inputs, classes]);
  const predictions = emptyPredictions(examples.labels);
  const count = examples.labels.length;
  const logits = new Float32Array(Math.min(count, CHUNK_IMAGES) * classes);
  const probabilities = new Float32Array(logits.length);
  for (let start = 0; start < count; start += CHUNK_IMAGES) {
    const end = Math.min(start + CHUNK_IMAGES, count);
    const [z, p] = [logits, probabilities].map((rows) => rows.subarray(0, (end - start) * classes));
    forward(z!, p!, examples.pixels.subarray(start * inputs, end * inputs));
    writePredictions(predictions, start, z!, p!, classes);
  }
  return predictions;
}

/** To be written to. */
export function emptyPredictions(labels: Uint8Array): Predictions {
  const count = labels.length;
  return {
    labels,
    predicted: new Uint8Array(count),
    confidences: new Float32Array(count),
    losses: new Float64Array(count),
  };
}

/**
 * The answers of the images from `start` on. The loss is taken of the logits, never of the probabilities: log 0 is
 * what those make of a confident mistake.
 */
export function writePredictions(
  { labels, predicted, confidences, losses }: Predictions,
  start: number,
  logits: Float32Array,
  probabilities: Float32Array,
  classes: number,
): void {
  const z = new Float64Array(classes);
  for (let at = 0, n = start; at < logits.length; at += classes, n++) {
    z.set(logits.subarray(at, at + classes));
    const best = argmax(z);
    predicted[n] = best;
    confidences[n] = probabilities[at + best]! || 0;
    losses[n] = crossEntropy(z, labels[n]!);
  }
}
