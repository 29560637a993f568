/** Statistics of the images of a training split. `diagnose` compares an image with them. */
import { type ImageShape, valueCount } from '../network/image-shape.ts';
import type { Examples, Pixels } from '../training/engine.ts';
import { type ClassGaussians, fitClassGaussians, logLikelihood } from './class-gaussians.ts';
import { extractFeatures, FEATURES, toGreyPixels } from './features.ts';
import { brightest, centreOfMass, inverted, transposed } from './transformations.ts';

/** Distributions, and thresholds that are rarely exceeded among the training images. */
export interface ImageStatistics {
  readonly gaussians: ClassGaussians;
  /** Images with a lower log-likelihood are far from the training images. */
  readonly likelihood: number;
  /** Usual maximum gain in log-likelihood from exchanging light and dark, or rows and columns (infinite unless images are square). */
  readonly inversionGain: number;
  readonly transpositionGain: number;
  /** Usual range of the centre of mass. */
  readonly centre: { readonly x: Range; readonly y: Range };
  /** Usual minimum of the brightest pixel. */
  readonly brightest: number;
}

interface Range {
  readonly low: number;
  readonly high: number;
}

/** Fractions of correct images that are reported by mistake; 0.9 % in total. */
const FALSE_ALARM_RATES = { inverted: 0.001, transposed: 0.003, offCentre: 0.002, far: 0.003 };
const MAX_MEASURED = 10_000;

/**
 * Distributions are fitted to every second image and thresholds are taken from the others. The fit has not seen these, so
 * the false-alarm rates hold for new images too.
 * @param examples at least two, of this shape
 * @throws RangeError if there are fewer, or they have another shape
 */
export function computeImageStatistics(
  { pixels, labels }: Examples,
  shape: ImageShape,
  classes: number,
): ImageStatistics {
  const values = valueCount(shape);
  if (labels.length < 2 || pixels.length !== labels.length * values) {
    throw new RangeError(
      `Statistics need at least two images of ${values} values, not ${labels.length} labels and ${pixels.length} values.`,
    );
  }
  const image = (n: number) => toGreyPixels(pixels.subarray(n * values, (n + 1) * values), shape);
  const fitted = Math.ceil(labels.length / 2);
  const rows = new Float64Array(fitted * FEATURES);
  for (let i = 0; i < fitted; i++) {
    extractFeatures(rows.subarray(i * FEATURES, (i + 1) * FEATURES), image(2 * i), shape);
  }
  const fittedLabels = labels.filter((_, n) => n % 2 === 0);
  const gaussians = fitClassGaussians(rows, fittedLabels, FEATURES, classes);

  const others = labels.length - fitted;
  const measured = Array.from({ length: Math.min(others, MAX_MEASURED) }, (_, i) =>
    measure(gaussians, image(2 * Math.floor((i * others) / Math.min(others, MAX_MEASURED)) + 1), shape),
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
    transpositionGain: isSquare(shape)
      ? quantileBy((each) => each.transpositionGain, 1 - FALSE_ALARM_RATES.transposed)
      : Number.POSITIVE_INFINITY,
    centre: { x: range(({ x }) => x), y: range(({ y }) => y) },
    brightest: quantileBy((each) => each.brightest, FALSE_ALARM_RATES.offCentre),
  };
}

type Measured = ReturnType<typeof measure>;

function measure(gaussians: ClassGaussians, image: Pixels, shape: ImageShape) {
  const likelihood = imageLikelihood(gaussians, image, shape);
  return {
    likelihood,
    inversionGain: imageLikelihood(gaussians, inverted(image), shape) - likelihood,
    transpositionGain: isSquare(shape)
      ? imageLikelihood(gaussians, transposed(image, shape), shape) - likelihood
      : 0,
    ...centreOfMass(image, shape),
    brightest: brightest(image),
  };
}

const isSquare = ([height, width]: ImageShape) => height === width;

/** Log-likelihood of a grey image of 0–255, up to a constant. */
export function imageLikelihood(gaussians: ClassGaussians, image: Pixels, shape: ImageShape): number {
  const features = new Float64Array(FEATURES);
  extractFeatures(features, image, shape);
  return logLikelihood(gaussians, features);
}

/** Linear interpolation between neighbours, as in NumPy. */
function quantile(values: readonly number[], fraction: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = fraction * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}
