/** Diagnosis of images that do not resemble the training images, with the likely cause. */
import type { ImageShape } from '../network/image-shape.ts';
import type { Pixels } from '../training/engine.ts';
import { toGreyPixels } from './features.ts';
import { type ImageStatistics, imageLikelihood } from './image-statistics.ts';
import { brightest, centreOfMass, inverted, transposed } from './transformations.ts';

export type Finding =
  | { readonly code: 'blank'; readonly value: number }
  | { readonly code: 'unscaled'; readonly max: number }
  /** The gain in log-likelihood when corrected, and the largest usual gain. */
  | { readonly code: 'inverted' | 'transposed'; readonly gain: number; readonly usual: number }
  | {
      readonly code: 'off-centre';
      readonly x: number;
      readonly y: number;
      readonly centre: ImageStatistics['centre'];
    }
  /** The log-likelihood, and its usual minimum. */
  | { readonly code: 'far-from-training-data'; readonly likelihood: number; readonly usual: number };

/** Images of 0–1, 0–15, 0–16 or 0–31 that were read as 0–255 are not brighter than this. */
export const MAX_UNSCALED = 32;
/** A dark image counts as unscaled only if the training images are brighter than it by more than this factor. */
const UNSCALED_FACTOR = 4;

/**
 * Each cause is corrected before the next is checked, because an image may be both unscaled and inverted. Off-centre
 * images are not checked for transposition, and "far" is reported only if nothing else explains the image.
 * @param received 0–255; it is not modified
 */
export function diagnose(received: Pixels, shape: ImageShape, statistics: ImageStatistics): Finding[] {
  const image = toGreyPixels(received, shape);
  const { gaussians, centre } = statistics;
  const max = brightest(image);
  if (image.every((value) => value === max)) return [{ code: 'blank', value: max }];
  const findings: Finding[] = [];
  let corrected: Pixels = image;
  const isUnscaled =
    max <= 1 ? statistics.brightest > 1 : max <= MAX_UNSCALED && UNSCALED_FACTOR * max < statistics.brightest;
  if (isUnscaled) {
    findings.push({ code: 'unscaled', max });
    // The white of other scales is unknown. In most images it is close to the brightest pixel.
    const factor = max <= 1 ? 255 : 255 / max;
    corrected = Float32Array.from(image, (value) => value * factor);
  }
  const isSquare = shape[0] === shape[1];
  let likelihood = imageLikelihood(gaussians, corrected, shape);

  const light = inverted(corrected);
  const inversion = unusualGain(likelihood, statistics.inversionGain, [
    light,
    ...(isSquare ? [transposed(light, shape)] : []),
  ]);
  if (inversion !== null) {
    findings.push({ code: 'inverted', ...inversion });
    corrected = light;
    likelihood += inversion.gain;
  }

  const { x, y } = centreOfMass(corrected, shape);
  if (x < centre.x.low || x > centre.x.high || y < centre.y.low || y > centre.y.high) {
    return [...findings, { code: 'off-centre', x, y, centre }];
  }
  const transposition = isSquare
    ? unusualGain(likelihood, statistics.transpositionGain, [transposed(corrected, shape)])
    : null;
  if (transposition !== null) return [...findings, { code: 'transposed', ...transposition }];
  if (findings.length === 0 && likelihood < statistics.likelihood) {
    findings.push({ code: 'far-from-training-data', likelihood, usual: statistics.likelihood });
  }
  return findings;

  /**
   * The gain in log-likelihood of the first changed image over the current one. Returns null if it is not unusual or
   * not positive, or if every changed image is still far from the training images, so no change has corrected it.
   */
  function unusualGain(present: number, usual: number, changed: readonly [Pixels, ...Pixels[]]) {
    const gain = imageLikelihood(gaussians, changed[0], shape) - present;
    if (gain <= Math.max(0, usual)) return null;
    const isLikely = changed.some((each) => imageLikelihood(gaussians, each, shape) >= statistics.likelihood);
    return isLikely ? { gain, usual } : null;
  }
}
