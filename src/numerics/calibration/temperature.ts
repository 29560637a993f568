/** Temperature scaling: one divisor of the logits that makes probabilities match frequencies. */
import type { Labels } from '../examples/labels.ts';
import { softmax } from '../reference/cross-entropy.ts';

interface FittedTemperature {
  /** T of softmax(z / T). */
  readonly temperature: number;
  /** Mean cross-entropy in nats, with T = 1 and with the fitted T. */
  readonly loss: { readonly before: number; readonly after: number };
}

/** Bounds of 1/T. Without them, a network without mistakes would get 1/T = ∞, and probabilities of 0 and 1. */
const LOWEST = 0.1;
const HIGHEST = 10;
const MAX_STEPS = 200;
/** Relative change of 1/T at which the iteration ends. */
const CONVERGED = 1e-14;

/**
 * Minimises the mean of −ln softmax(b z)_label, which is convex in b = 1/T (Guo et al. 2017, "On Calibration of Modern Neural
 * Networks"): Newton's method, with bisection where a step leaves the interval that must hold the minimum.
 * @param logits n × classes, finite
 * @param labels n, at least one
 */
export function fitTemperature(logits: Float32Array, labels: Labels, classes: number): FittedTemperature {
  const at = (inverse: number) => derivatives(logits, labels, classes, inverse);
  const before = at(1);
  const inverse = findMinimum(at);
  return { temperature: 1 / inverse, loss: { before: before.loss, after: at(inverse).loss } };
}

function findMinimum(at: (inverse: number) => ReturnType<typeof derivatives>): number {
  if (at(HIGHEST).slope <= 0) return HIGHEST;
  if (at(LOWEST).slope >= 0) return LOWEST;
  let [low, high, inverse] = [LOWEST, HIGHEST, 1];
  for (let step = 0; step < MAX_STEPS; step++) {
    const now = at(inverse);
    if (now.slope > 0) high = inverse;
    else low = inverse;
    const newton = inverse - now.slope / now.curvature;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    const change = Math.abs(next - inverse);
    inverse = next;
    if (change <= CONVERGED * inverse) break;
  }
  return inverse;
}

/** The mean loss at b, and its first and second derivative: means of E_p[z] − z_label and of Var_p[z]. */
function derivatives(logits: Float32Array, labels: Labels, classes: number, inverse: number) {
  const z = new Float64Array(classes);
  const p = new Float64Array(classes);
  let [loss, slope, curvature] = [0, 0, 0];
  for (const [n, label] of labels.entries()) {
    let max = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < classes; k++) {
      z[k] = inverse * logits[n * classes + k]!;
      max = Math.max(max, z[k]!);
    }
    let sum = 0;
    for (let k = 0; k < classes; k++) {
      p[k] = Math.exp(z[k]! - max);
      sum += p[k]!;
    }
    let [mean, squares] = [0, 0];
    // Relative to the label's logit, so that the difference loses no digits.
    const own = logits[n * classes + label]!;
    for (let k = 0; k < classes; k++) {
      const value = logits[n * classes + k]! - own;
      mean += (p[k]! / sum) * value;
      squares += (p[k]! / sum) * value * value;
    }
    loss += Math.log(sum) + (max - z[label]!);
    slope += mean;
    curvature += squares - mean * mean;
  }
  const count = labels.length;
  return { loss: loss / count, slope: slope / count, curvature: curvature / count };
}

/** softmax(z / T) of each row of `logits`, n × classes. */
export function temperedProbabilities(
  logits: Float32Array,
  classes: number,
  temperature: number,
): Float32Array {
  const probabilities = new Float32Array(logits.length);
  const row = new Float64Array(classes);
  for (let start = 0; start < logits.length; start += classes) {
    for (let k = 0; k < classes; k++) row[k] = logits[start + k]! / temperature;
    softmax(row, row);
    probabilities.set(row, start);
  }
  return probabilities;
}
