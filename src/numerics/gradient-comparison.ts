/** Analytic against numeric gradient: norms, verdict and worst coordinate of a stretch of coordinates. */

/** Parallel vectors over the checked coordinates. */
export interface Gradients {
  readonly analytic: Float64Array;
  readonly numeric: Float64Array;
  /** 1 where the step crossed a kink, so that the difference says nothing about the derivative */
  readonly kinked: Uint8Array;
}

export interface Comparison {
  readonly coordinates: number;
  readonly kinks: number;
  /** ‖a − n‖ over all coordinates: what scipy.optimize.check_grad prints. */
  readonly error: number;
  /** ‖a − n‖ / max(‖a‖, ‖n‖) without the kinked ones; 0 where both are 0. */
  readonly relativeError: number;
  /** numpy.allclose(analytic, numeric, rtol 1e-3, atol 1e-8), without the kinked ones. */
  readonly allclose: boolean;
  /** The rounding noise allowed for in ‖a − n‖: 4 √k that of one difference. */
  readonly noise: number;
  /** ‖a − n‖ ≤ tolerance · max(‖a‖, ‖n‖) + noise, without the kinked ones. */
  readonly passed: boolean;
  /** The rounding noise to be expected is more than the tolerance: a wrong gradient could hide in it. */
  readonly noiseDominates: boolean;
  /** Where in the vectors |a − n| is largest, without the kinked ones; null where nothing is left. */
  readonly worst: number | null;
}

const RTOL = 1e-3;
const ATOL = 1e-8;

/** How far the noise may exceed what is expected of it before it is called a difference. */
const NOISE_MARGIN = 4;

/**
 * Compares coordinates `start` to `end`. `noise` is the rounding noise to be expected of one difference
 * quotient; the norm of k of them is √k times that. Anything that is not a number fails.
 */
export function compareGradients(
  { analytic, numeric, kinked }: Gradients,
  start: number,
  end: number,
  tolerance: number,
  noise: number,
): Comparison {
  let [kinks, kinkSquares, squares, analyticSquares, numericSquares] = [0, 0, 0, 0, 0];
  let allclose = true;
  let worst: number | null = null;
  let worstDifference = -1;
  for (let c = start; c < end; c++) {
    const [a, n] = [analytic[c]!, numeric[c]!];
    const difference = Math.abs(a - n);
    if (kinked[c] === 1) {
      kinks++;
      kinkSquares += difference ** 2;
      continue;
    }
    squares += difference ** 2;
    analyticSquares += a ** 2;
    numericSquares += n ** 2;
    if (!(difference <= ATOL + RTOL * Math.abs(n))) allclose = false;
    if (!(difference <= worstDifference)) {
      worst = c;
      worstDifference = difference;
    }
  }
  const norm = Math.sqrt(squares);
  const scale = Math.sqrt(Math.max(analyticSquares, numericSquares));
  const expectedNoise = Math.sqrt(end - start - kinks) * noise;
  return {
    coordinates: end - start,
    kinks,
    error: Math.sqrt(squares + kinkSquares),
    relativeError: scale === 0 ? 0 : norm / scale,
    allclose,
    noise: NOISE_MARGIN * expectedNoise,
    passed: norm <= tolerance * scale + NOISE_MARGIN * expectedNoise,
    noiseDominates: expectedNoise > tolerance * scale,
    worst,
  };
}
