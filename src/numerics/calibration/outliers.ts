/** How unlike the training images an image is: three scores, combined by Fisher's method. */
import type { Pixels } from '../training/engine.ts';
import { conformalRank } from './conformal.ts';
import { countBelow, createDistance, fitNeighbours, type NeighbourSpace } from './neighbours.ts';

/** Images with the outputs of the network for them. */
export interface Observed {
  /** n × d0, 0–255 */
  readonly pixels: Pixels;
  /** n × classes */
  readonly logits: Float32Array;
  /** n × units: the activations of the last hidden layer. Empty without one. */
  readonly hidden: Float32Array;
}

export interface OutlierModel {
  /** One for the pixels, and one for the hidden activations if there are any. */
  readonly spaces: readonly NeighbourSpace[];
  /** The energies of the calibration images, then their distances in each space; each ascending. */
  readonly scores: readonly Float32Array[];
  /** The combined scores of the calibration images whose pixels are not all equal, ascending. */
  readonly combined: Float32Array;
}

/** At least this fraction of images like those of the calibration are not outliers. */
const USUAL = 0.95;

/** Fraction of images like those of the calibration that are not outliers. */
export const usualFraction = (coverage: number): number => Math.max(coverage, USUAL);

/**
 * @param training at least one image; `logits` is not used
 * @param calibration images that are not among them, at least 99
 */
export function fitOutliers(
  training: Omit<Observed, 'logits'>,
  calibration: Observed,
  inputs: number,
  classes: number,
): OutlierModel {
  const images = training.pixels.length / inputs;
  const units = training.hidden.length / images;
  const spaces = [fitNeighbours(training.pixels, inputs)];
  if (units > 0) spaces.push(fitNeighbours(normalizeRows(training.hidden, units), units));
  const count = calibration.pixels.length / inputs;
  const measure = createMeasures(spaces, calibration, inputs, classes);
  const measured = Array.from({ length: count }, (_, n) => measure(n));
  const scores = [null, ...spaces].map((_, s) => Float32Array.from(measured, (each) => each[s]!).sort());
  const combined = measured
    .filter((_, n) => !isConstant(calibration.pixels, n, inputs))
    .map((each) => combine(scores, each));
  return { spaces, scores, combined: Float32Array.from(combined).sort() };
}

/** The combined score of each image, in the order of the images; null if its pixels are all equal. */
export function scoreOutliers(
  { spaces, scores }: OutlierModel,
  observed: Observed,
  inputs: number,
  classes: number,
): (number | null)[] {
  const measure = createMeasures(spaces, observed, inputs, classes);
  return Array.from({ length: observed.pixels.length / inputs }, (_, n) =>
    isConstant(observed.pixels, n, inputs) ? null : combine(scores, measure(n)),
  );
}

/**
 * Whether each of n images is unlike the training images: whether its combined score is beyond the quantile of the calibration
 * images. An image whose pixels are all equal is an outlier unless such images are usual; if all calibration images are such,
 * every other image is an outlier. Of images like those of the calibration, at most 1 − `coverage` are outliers, or 1 − USUAL if
 * that is less.
 * @param scored by `scoreOutliers`
 */
export function findOutliers(
  { scores, combined }: OutlierModel,
  coverage: number,
  scored: readonly (number | null)[],
): boolean[] {
  const usual = usualFraction(coverage);
  const beyond = combined.length === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const threshold = combined[conformalRank(combined.length, usual) - 1] ?? beyond;
  const count = scores[0]!.length;
  const isConstantUsual = count - combined.length > (1 - usual) * count;
  // A score that is not a number is not usual.
  return scored.map((score) => (score === null ? !isConstantUsual : !(score <= threshold)));
}

/** The energy and the distances of image n, in the order of `OutlierModel.scores`, rounded to float32 like these. */
function createMeasures(
  spaces: readonly NeighbourSpace[],
  { pixels, logits, hidden }: Observed,
  inputs: number,
  classes: number,
): (n: number) => Float32Array {
  const [toPixels, toHidden] = spaces.map(createDistance);
  const units = spaces[1]?.mean.length ?? 0;
  return (n) => {
    const distances = [toPixels!(pixels.subarray(n * inputs, (n + 1) * inputs))];
    if (toHidden) distances.push(toHidden(normalizeRows(hidden.subarray(n * units, (n + 1) * units), units)));
    return Float32Array.from([energy(logits.subarray(n * classes, (n + 1) * classes)), ...distances]);
  };
}

/** −ln Σ exp(z) (Liu et al. 2020, "Energy-based Out-of-distribution Detection"). */
function energy(logits: Float32Array): number {
  const max = logits.reduce((most, z) => Math.max(most, z), Number.NEGATIVE_INFINITY);
  let sum = 0;
  for (let k = 0; k < logits.length; k++) sum += Math.exp(logits[k]! - max);
  return -(max + Math.log(sum));
}

/**
 * −Σ ln p (Fisher 1925), where p is the fraction of the calibration images, and of the image, with at least its score. It is
 * rounded to float32, the precision of `OutlierModel.combined`.
 */
function combine(scores: readonly Float32Array[], measured: Float32Array): number {
  let sum = 0;
  for (const [s, sorted] of scores.entries()) {
    if (Number.isNaN(measured[s]!)) return Number.NaN;
    sum -= Math.log((1 + sorted.length - countBelow(sorted, measured[s]!)) / (1 + sorted.length));
  }
  return Math.fround(sum);
}

/** Rows of Euclidean length 1; a row of zeros stays as it is. */
function normalizeRows(rows: Float32Array, length: number): Float32Array {
  const normalized = new Float32Array(rows.length);
  for (let start = 0; start < rows.length; start += length) {
    let squares = 0;
    for (let i = start; i < start + length; i++) squares += rows[i]! ** 2;
    const norm = Math.sqrt(squares) || 1;
    for (let i = start; i < start + length; i++) normalized[i] = rows[i]! / norm;
  }
  return normalized;
}

function isConstant(pixels: Pixels, n: number, inputs: number): boolean {
  const first = pixels[n * inputs]!;
  for (let i = n * inputs; i < (n + 1) * inputs; i++) if (pixels[i] !== first) return false;
  return true;
}
