/** Limits of the work of trying mistakes: some numbers of a block are tried first, and a budget ends the trials. */
import type { Parameters } from '../../network/layers.ts';

/** Numbers that may still be read. */
export interface Budget {
  left: number;
}

/** Most numbers that are read while mistakes are tried: one to two seconds. */
export const MAX_READ = 1e9;
/** Times that a fit, and a norm, read their numbers. */
export const FIT_READS = 8;
export const NORM_READS = 2;
/** Arrangements of a block: its own, four packing orders, other blocks of its size, orders of its axes and of the classes. */
const ARRANGEMENTS = 32;

/** Most numbers that are read to try all mistakes for a gradient, on each of the gradients that contain one. */
export const explanationReads = (sources: number, parameters: number): number =>
  Math.min(MAX_READ, sources * ARRANGEMENTS * FIT_READS * parameters);

/** Most numbers of a vector that stand for all of it. */
const SAMPLE = 1024;

/** Evenly spaced places in a vector; all of them if it is short. */
export function samplePlaces(length: number): Uint32Array {
  const count = Math.min(SAMPLE, length);
  return Uint32Array.from({ length: count }, (_, k) => Math.floor((k * length) / count));
}

export const gather = (vector: Parameters, places: Uint32Array): Float64Array =>
  Float64Array.from(places, (place) => vector[place]!);
