/** Whether a picture looks like those that a network was trained on, and if not, what may have happened to it. */
import type { Pixels } from '../engine.ts';
import { brightest, centreOfMass, inverted, transposed } from './features.ts';
import { likelihoodOf, type PictureStatistics } from './image-statistics.ts';

export type Finding =
  | { readonly code: 'blank'; readonly value: number }
  | { readonly code: 'unscaled'; readonly max: number }
  /** By how much the log-likelihood is greater when it is put right, and the gain that is rare. */
  | { readonly code: 'inverted' | 'transposed'; readonly gain: number; readonly usual: number }
  | {
      readonly code: 'off-centre';
      readonly x: number;
      readonly y: number;
      readonly centre: PictureStatistics['centre'];
    }
  /** The log-likelihood, and what it seldom is below. */
  | { readonly code: 'far-from-training-data'; readonly likelihood: number; readonly usual: number };

/**
 * One thing after another, each put right before the next is looked for: a picture may be unscaled and inverted. One
 * that is off-centre may be likelier transposed too, and is not said to be; far is only what nothing else explains.
 * @param image 28×28, 0–255; it is not changed
 */
export function diagnose(image: Pixels, statistics: PictureStatistics): Finding[] {
  const { gaussians, centre } = statistics;
  const max = brightest(image);
  if (image.every((value) => value === max)) return [{ code: 'blank', value: max }];
  const findings: Finding[] = [];
  let picture: Pixels = image;
  if (max <= 1 && statistics.brightest > 1) {
    findings.push({ code: 'unscaled', max });
    picture = Float32Array.from(image, (value) => value * 255);
  }
  let likelihood = likelihoodOf(gaussians, picture);

  const light = inverted(picture);
  const inversion = gainOf(likelihood, statistics.inversionGain, [light, transposed(light)]);
  if (inversion !== null) {
    findings.push({ code: 'inverted', ...inversion });
    picture = light;
    likelihood += inversion.gain;
  }

  const { x, y } = centreOfMass(picture);
  if (x < centre.x.low || x > centre.x.high || y < centre.y.low || y > centre.y.high) {
    return [...findings, { code: 'off-centre', x, y, centre }];
  }
  const transposition = gainOf(likelihood, statistics.transpositionGain, [transposed(picture)]);
  if (transposition !== null) return [...findings, { code: 'transposed', ...transposition }];
  if (findings.length === 0 && likelihood < statistics.likelihood) {
    findings.push({ code: 'far-from-training-data', likelihood, usual: statistics.likelihood });
  }
  return findings;

  /**
   * What the first of the changed pictures gains over the present one; null where that is not unusual, or no gain, or
   * leaves the picture far from the training images whatever is then done to it: that has not put it right.
   */
  function gainOf(present: number, usual: number, changed: readonly [Pixels, ...Pixels[]]) {
    const gain = likelihoodOf(gaussians, changed[0]) - present;
    if (gain <= Math.max(0, usual)) return null;
    const isLikely = changed.some((each) => likelihoodOf(gaussians, each) >= statistics.likelihood);
    return isLikely ? { gain, usual } : null;
  }
}
