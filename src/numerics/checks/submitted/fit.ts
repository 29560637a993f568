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

/** Numbers to explain. */
export interface Target {
  /** Divided by `unit`, a power of two. */
  readonly numbers: Float64Array;
  readonly unit: number;
  /** ‖numbers‖ */
  readonly size: number;
  /** Largest ‖rest‖ of an explanation, divided by `unit`. */
  readonly limit: number;
}

/** @param error ‖given − right‖ */
export function createTarget(given: Float64Array, error: number): Target {
  const unit = unitOf(given);
  const numbers = inUnit(given, unit);
  const size = norm(numbers);
  return { numbers, unit, size, limit: Math.min(MOST_OF_BLOCK * size, MOST_OF_ERROR * (error / unit)) };
}

/**
 * The factor c that minimizes ‖given − c · vector‖; with parameters w, both factors of ‖given − c · vector − λ w‖.
 * @returns null if this does not explain the numbers
 */
export function fitTarget(
  { numbers, unit, limit }: Target,
  vector: Float64Array,
  parameters?: Parameters,
): Fit | null {
  const fit = leastSquares(numbers, vector, parameters);
  if (fit === null || !(restOf(numbers, vector, fit, parameters) <= limit)) return null;
  const { factor, penalty } = { factor: unit * fit.factor, penalty: unit * fit.penalty };
  return Number.isFinite(factor) && Number.isFinite(penalty) ? { factor, penalty } : null;
}

/**
 * Whether `fitTarget` may find a fit, judged by some of the numbers only: their own least rest is at most that of all numbers, so
 * a larger one than the limit excludes a fit. Twice the limit leaves room for rounding.
 * @param sample some numbers of the target, and the vector and the parameters at the same places
 */
export function mayFit(
  { limit }: Target,
  sample: Float64Array,
  vector: Float64Array,
  parameters?: Parameters,
): boolean {
  const fit = leastSquares(sample, vector, parameters);
  return !fit || !Number.isFinite(fit.factor) || restOf(sample, vector, fit, parameters) <= 2 * limit;
}

const leastSquares = (given: Float64Array, vector: Float64Array, parameters?: Parameters): Fit | null =>
  parameters === undefined ? fitOne(given, vector) : fitTwo(given, vector, parameters);

function restOf(given: Float64Array, vector: Float64Array, fit: Fit, parameters?: Parameters): number {
  let squares = 0;
  for (let i = 0; i < given.length; i++) {
    squares += (given[i]! - fit.factor * vector[i]! - fit.penalty * (parameters?.[i] ?? 0)) ** 2;
  }
  return Math.sqrt(squares);
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
