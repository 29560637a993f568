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
export interface PictureStatistics {
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
const RARE = { inverted: 0.001, transposed: 0.003, offCentre: 0.002, far: 0.003 };
const MAX_MEASURED = 10_000;

/**
 * Distributions are fitted to every second image, thresholds taken from the others, which the fit has not seen: the
 * shares of wrong complaints hold for new images too.
 * @param examples 28×28, at least two
 * @throws RangeError when they are not
 */
export function pictureStatistics({ pixels, labels }: Examples, classes: number): PictureStatistics {
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
  const quantileOf = (part: (each: Measured) => number, share: number) => quantile(measured.map(part), share);
  const range = (part: (each: Measured) => number) => ({
    low: quantileOf(part, RARE.offCentre / 4),
    high: quantileOf(part, 1 - RARE.offCentre / 4),
  });
  return {
    gaussians,
    likelihood: quantileOf((each) => each.likelihood, RARE.far),
    inversionGain: quantileOf((each) => each.inversionGain, 1 - RARE.inverted),
    transpositionGain: quantileOf((each) => each.transpositionGain, 1 - RARE.transposed),
    centre: { x: range(({ x }) => x), y: range(({ y }) => y) },
    brightest: quantileOf((each) => each.brightest, RARE.offCentre),
  };
}

type Measured = ReturnType<typeof measure>;

function measure(gaussians: ClassGaussians, image: Pixels) {
  const likelihood = likelihoodOf(gaussians, image);
  return {
    likelihood,
    inversionGain: likelihoodOf(gaussians, inverted(image)) - likelihood,
    transpositionGain: likelihoodOf(gaussians, transposed(image)) - likelihood,
    ...centreOfMass(image),
    brightest: brightest(image),
  };
}

/** Of a picture of 0–255, up to a constant. */
export function likelihoodOf(gaussians: ClassGaussians, image: Pixels): number {
  const features = new Float64Array(FEATURES);
  extractFeatures(features, image);
  return logLikelihood(gaussians, features);
}

/** As NumPy's, between neighbours in proportion. */
function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}
