/** Least squares: a block of a submitted gradient as a multiple of another vector. */
import type { Parameters } from '../../network/layers.ts';
import { unitOf } from '../unit.ts';

export interface Fit {
  readonly factor: number;
  /** Factor of the parameters; 0 without a penalty. */
  readonly penalty: number;
}

/** Largest ‖rest‖ of an explained block: relative to the block, in float32, and to its error, which could be rounding. */
const MOST_OF_BLOCK = 1e-4;
const MOST_OF_ERROR = 0.01;
/** Below this sine of the angle between vector and parameters, squared, the two factors are not determined. */
const PARALLEL = 1e-9;
/** Two factors fit any three numbers too easily. */
const MIN_LENGTH = 4;

export const dot = (a: Parameters, b: Parameters): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** May be infinite, but only if ‖a‖ is not a float64. */
export function norm(a: Float64Array): number {
  const unit = unitOf(a);
  const scaled = inUnit(a, unit);
  return unit * Math.sqrt(dot(scaled, scaled));
}

/** The values divided by a power of two; themselves if it is 1. */
export const inUnit = (values: Float64Array, unit: number): Float64Array =>
  unit === 1 ? values : values.map((value) => value / unit);

/** Cosine of the angle between two vectors; NaN if one of them is 0 or not finite. */
export function cosine(a: Float64Array, b: Float64Array): number {
  const [u, v] = [inUnit(a, unitOf(a)), inUnit(b, unitOf(b))];
  // Rounding can exceed 1.
  return Math.max(-1, Math.min(1, dot(u, v) / (norm(u) * norm(v))));
}

/**
 * The factor c that minimizes ‖given − c · vector‖; with parameters w, both factors of ‖given − c · vector − λ w‖.
 * @param error ‖given − right‖
 * @returns null if this does not explain the block
 */
export function fitBlock(
  given: Float64Array,
  vector: Float64Array,
  error: number,
  parameters?: Parameters,
): Fit | null {
  const unit = unitOf(given);
  const fit = fitScaled(inUnit(given, unit), vector, error / unit, parameters);
  if (fit === null) return null;
  const { factor, penalty } = { factor: unit * fit.factor, penalty: unit * fit.penalty };
  return Number.isFinite(factor) && Number.isFinite(penalty) ? { factor, penalty } : null;
}

function fitScaled(
  given: Float64Array,
  vector: Float64Array,
  error: number,
  parameters?: Parameters,
): Fit | null {
  const fit = parameters === undefined ? fitOne(given, vector) : fitTwo(given, vector, parameters);
  if (fit === null) return null;
  let squares = 0;
  for (let i = 0; i < given.length; i++) {
    squares += (given[i]! - fit.factor * vector[i]! - fit.penalty * (parameters?.[i] ?? 0)) ** 2;
  }
  const limit = Math.min(MOST_OF_BLOCK * norm(given), MOST_OF_ERROR * error);
  return Math.sqrt(squares) <= limit ? fit : null;
}

const fitOne = (given: Float64Array, vector: Float64Array): Fit => ({
  factor: dot(given, vector) / dot(vector, vector),
  penalty: 0,
});

function fitTwo(given: Float64Array, vector: Float64Array, parameters: Parameters): Fit | null {
  const [vv, ww, vw] = [dot(vector, vector), dot(parameters, parameters), dot(vector, parameters)];
  const determinant = vv * ww - vw ** 2;
  if (given.length < MIN_LENGTH || !(determinant > PARALLEL * vv * ww)) return null;
  const [gv, gw] = [dot(given, vector), dot(given, parameters)];
  return { factor: (gv * ww - gw * vw) / determinant, penalty: (gw * vv - gv * vw) / determinant };
}
