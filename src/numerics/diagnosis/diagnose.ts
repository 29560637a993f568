/** Whether a picture looks like those that a network was trained on, and if not, what may have happened to it. */
import type { Pixels } from '../engine.ts';
import { brightest, centreOfMass, inverted, transposed } from './features.ts';
import { type ImageStatistics, imageLikelihood } from './image-statistics.ts';

export type Finding =
  | { readonly code: 'blank'; readonly value: number }
  | { readonly code: 'unscaled'; readonly max: number }
  /** By how much the log-likelihood is greater when it is put right, and the gain that is rare. */
  | { readonly code: 'inverted' | 'transposed'; readonly gain: number; readonly usual: number }
  | {
      readonly code: 'off-centre';
      readonly x: number;
      readonly y: number;
      readonly centre: ImageStatistics['centre'];
    }
  /** The log-likelihood, and what it seldom is below. */
  | { readonly code: 'far-from-training-data'; readonly likelihood: number; readonly usual: number };

/**
 * One thing after another, each put right before the next is looked for: a picture may be unscaled and inverted. One
 * that is off-centre may be likelier transposed too, and is not said to be; far is only what nothing else explains.
 * @param image 28×28, 0–255; it is not changed
 */
export function diagnose(image: Pixels, statistics: ImageStatistics): Finding[] {
  const { gaussians, centre } = statistics;
  const max = brightest(image);
  if (image.every((value) => value === max)) return [{ code: 'blank', value: max }];
  const findings: Finding[] = [];
  let corrected: Pixels = image;
  if (max <= 1 && statistics.brightest > 1) {
    findings.push({ code: 'unscaled', max });
    corrected = Float32Array.from(image, (value) => value * 255);
  }
  let likelihood = imageLikelihood(gaussians, corrected);

  const light = inverted(corrected);
  const inversion = unusualGain(likelihood, statistics.inversionGain, [light, transposed(light)]);
  if (inversion !== null) {
    findings.push({ code: 'inverted', ...inversion });
    corrected = light;
    likelihood += inversion.gain;
  }

  const { x, y } = centreOfMass(corrected);
  if (x < centre.x.low || x > centre.x.high || y < centre.y.low || y > centre.y.high) {
    return [...findings, { code: 'off-centre', x, y, centre }];
  }
  const transposition = unusualGain(likelihood, statistics.transpositionGain, [transposed(corrected)]);
  if (transposition !== null) return [...findings, { code: 'transposed', ...transposition }];
  if (findings.length === 0 && likelihood < statistics.likelihood) {
    findings.push({ code: 'far-from-training-data', likelihood, usual: statistics.likelihood });
  }
  return findings;

  /**
   * What the first of the changed pictures gains over the present one; null where that is not unusual, or no gain, or
   * leaves the picture far from the training images whatever is then done to it: that has not put it right.
   */
  function unusualGain(present: number, usual: number, changed: readonly [Pixels, ...Pixels[]]) {
    const gain = imageLikelihood(gaussians, changed[0]) - present;
    if (gain <= Math.max(0, usual)) return null;
    const isLikely = changed.some((each) => imageLikelihood(gaussians, each) >= statistics.likelihood);
    return isLikely ? { gain, usual } : null;
  }
}
