/** What the pictures of a training part look like, so that one that does not can be told. */
import type { Examples, Pixels } from '../engine.ts';
import { type ClassGaussians, fitClassGaussians, logLikelihood } from './class-gaussians.ts';
import {
  brightest,
  centreOfMass,
  extractFeatures,
  FEATURES,
  inverted,
  SIDE,
  transposed,
} from './features.ts';

/** Beyond these lies what is rare among the training images. */
export interface ImageStatistics {
  readonly gaussians: ClassGaussians;
  /** Of the log-likelihood of a picture: what is less is far from the training images. */
  readonly likelihood: number;
  /** Of what the log-likelihood gains when light and dark, or rows and columns, are exchanged. */
  readonly inversionGain: number;
  readonly transpositionGain: number;
  /** Of the centre of mass. */
  readonly centre: { readonly x: Range; readonly y: Range };
  /** Of the brightest pixel. */
  readonly brightest: number;
}

interface Range {
  readonly low: number;
  readonly high: number;
}

/** Shares of pictures as they should be that are wrongly complained of; 0.9 % in all. */
const FALSE_ALARM_RATES = { inverted: 0.001, transposed: 0.003, offCentre: 0.002, far: 0.003 };
const MAX_MEASURED = 10_000;

/**
 * Distributions are fitted to every second image, thresholds taken from the others, which the fit has not seen: the
 * shares of wrong complaints hold for new images too.
 * @param examples 28×28, at least two
 * @throws RangeError when they are not
 */
export function computeImageStatistics({ pixels, labels }: Examples, classes: number): ImageStatistics {
  if (labels.length < 2 || pixels.length !== labels.length * SIDE * SIDE) {
    throw new RangeError(`${labels.length} labels and ${pixels.length} pixels have no statistics`);
  }
  const image = (n: number) => pixels.subarray(n * SIDE * SIDE, (n + 1) * SIDE * SIDE);
  const fitted = Math.ceil(labels.length / 2);
  const rows = new Float64Array(fitted * FEATURES);
  for (let i = 0; i < fitted; i++) {
    extractFeatures(rows.subarray(i * FEATURES, (i + 1) * FEATURES), image(2 * i));
  }
  const fittedLabels = Uint8Array.from({ length: fitted }, (_, i) => labels[2 * i]!);
  const gaussians = fitClassGaussians(rows, fittedLabels, FEATURES, classes);

  const others = labels.length - fitted;
  const measured = Array.from({ length: Math.min(others, MAX_MEASURED) }, (_, i) =>
    measure(gaussians, image(2 * Math.floor((i * others) / Math.min(others, MAX_MEASURED)) + 1)),
  );
  const quantileBy = (part: (each: Measured) => number, fraction: number) =>
    quantile(measured.map(part), fraction);
  const range = (part: (each: Measured) => number) => ({
    low: quantileBy(part, FALSE_ALARM_RATES.offCentre / 4),
    high: quantileBy(part, 1 - FALSE_ALARM_RATES.offCentre / 4),
  });
  return {
    gaussians,
    likelihood: quantileBy((each) => each.likelihood, FALSE_ALARM_RATES.far),
    inversionGain: quantileBy((each) => each.inversionGain, 1 - FALSE_ALARM_RATES.inverted),
    transpositionGain: quantileBy((each) => each.transpositionGain, 1 - FALSE_ALARM_RATES.transposed),
    centre: { x: range(({ x }) => x), y: range(({ y }) => y) },
    brightest: quantileBy((each) => each.brightest, FALSE_ALARM_RATES.offCentre),
  };
}

type Measured = ReturnType<typeof measure>;

function measure(gaussians: ClassGaussians, image: Pixels) {
  const likelihood = imageLikelihood(gaussians, image);
  return {
    likelihood,
    inversionGain: imageLikelihood(gaussians, inverted(image)) - likelihood,
    transpositionGain: imageLikelihood(gaussians, transposed(image)) - likelihood,
    ...centreOfMass(image),
    brightest: brightest(image),
  };
}

/** Of a picture of 0–255, up to a constant. */
export function imageLikelihood(gaussians: ClassGaussians, image: Pixels): number {
  const features = new Float64Array(FEATURES);
  extractFeatures(features, image);
  return logLikelihood(gaussians, features);
}

/** As NumPy's, between neighbours in proportion. */
function quantile(values: readonly number[], fraction: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = fraction * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}
