/** Confidence intervals of a proportion. */
import { upperQuantile } from './normal-quantile.ts';

/** Probability that a 95 % interval does not contain the proportion. */
const RISK = 0.05;
/** The 97.5 % quantile of the standard normal distribution. */
const Z_95 = 1.959963984540054;

/**
 * 95 % interval of a proportion by Wilson's score (Wilson 1927): with p = successes / n,
 * (p + z²/2n ± z √(p (1 − p) / n + z²/4n²)) / (1 + z²/n). It stays within 0 … 1 and is accurate for
 * proportions near 0 and 1 too.
 * @param intervals number of intervals that hold together with a probability of at least 95 %; each then has
 *   the level 1 − 0.05 / intervals (Bonferroni)
 */
export function wilsonInterval(
  successes: number,
  n: number,
  intervals = 1,
): { readonly low: number; readonly high: number } {
  const z = intervals === 1 ? Z_95 : upperQuantile(RISK / intervals / 2);
  const p = successes / n;
  const z2 = z ** 2;
  const centre = p + z2 / (2 * n);
  const half = z * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  // Exact at both ends, where rounding errors would remain.
  return {
    low: successes === 0 ? 0 : (centre - half) / (1 + z2 / n),
    high: successes === n ? 1 : (centre + half) / (1 + z2 / n),
  };
}
