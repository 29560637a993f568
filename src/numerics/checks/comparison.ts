/** Comparison of analytic and numeric gradients over a range of coordinates. */
import { unitOf } from './unit.ts';

/** Parallel vectors over the checked coordinates. */
export interface Gradients {
  readonly analytic: Float64Array;
  readonly numeric: Float64Array;
  /** 1 if the step crossed a kink, where the difference does not approximate the derivative. */
  readonly kinked: Uint8Array;
}

export interface GradientComparison {
  /** Number of coordinates checked, and how many of their steps crossed a kink. */
  readonly coordinates: number;
  readonly kinks: number;
  /** ‖a − n‖ over all coordinates, as returned by scipy.optimize.check_grad. */
  readonly error: number;
  /** ‖a − n‖ / max(‖a‖, ‖n‖) without kinked coordinates; 0 if both norms are 0. */
  readonly relativeError: number;
  /** numpy.allclose(analytic, numeric, rtol 1e-3, atol 1e-8), without kinked coordinates. */
  readonly allclose: boolean;
  /** Allowed rounding noise in ‖a − n‖ over k coordinates: 4 √k times the noise of one difference quotient. */
  readonly noise: number;
  /** ‖a − n‖ ≤ tolerance · max(‖a‖, ‖n‖) + noise, without kinked coordinates. */
  readonly passed: boolean;
  /** The expected rounding noise exceeds the tolerance, so it could hide a wrong gradient. */
  readonly noiseDominates: boolean;
  /** Index of the largest |a − n|, or the first that is not finite, without kinked coordinates; null if all are kinked. */
  readonly worst: number | null;
}

const RTOL = 1e-3;
const ATOL = 1e-8;

/** Factor by which the noise may exceed its expected value before it counts as a difference. */
const NOISE_MARGIN = 4;

/**
 * Compares coordinates `start` to `end` − 1. `noise` is the expected rounding noise of one difference quotient; the
 * norm of the noise of k quotients is √k times that. NaN and infinite values fail. All sums are in a unit in which they do
 * not overflow.
 */
export function compareGradients(
  { analytic, numeric, kinked }: Gradients,
  start: number,
  end: number,
  tolerance: number,
  noise: number,
): GradientComparison {
  const unit = Math.max(...[analytic, numeric].map((values) => unitOf(values.subarray(start, end))));
  let [kinks, kinkSquares, squares, analyticSquares, numericSquares] = [0, 0, 0, 0, 0];
  let allclose = true;
  let worst: number | null = null;
  let worstDifference = -1;
  for (let c = start; c < end; c++) {
    const [a, n] = [analytic[c]! / unit, numeric[c]! / unit];
    const difference = Math.abs(a - n);
    if (kinked[c] === 1) {
      kinks++;
      kinkSquares += difference ** 2;
      continue;
    }
    squares += difference ** 2;
    analyticSquares += a ** 2;
    numericSquares += n ** 2;
    if (!(difference <= ATOL / unit + RTOL * Math.abs(n))) allclose = false;
    const size = Number.isNaN(difference) ? Infinity : difference;
    if (size > worstDifference) {
      worst = c;
      worstDifference = size;
    }
  }
  const norm = Math.sqrt(squares);
  const scale = Math.sqrt(Math.max(analyticSquares, numericSquares));
  const expectedNoise = Math.sqrt(end - start - kinks) * noise;
  const allowed = tolerance * scale + (NOISE_MARGIN * expectedNoise) / unit;
  return {
    coordinates: end - start,
    kinks,
    error: unit * Math.sqrt(squares + kinkSquares),
    relativeError: scale === 0 ? 0 : norm / scale,
    allclose,
    noise: NOISE_MARGIN * expectedNoise,
    passed: norm < Infinity && norm <= allowed,
    noiseDominates: expectedNoise / unit > tolerance * scale,
    worst,
  };
}
