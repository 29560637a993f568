/**
 * The file format of checkpoints. Numbers are little-endian; version 1 is the only version.
 *
 * | offset      | bytes  | what                                                                                    |
 * |-------------|--------|-----------------------------------------------------------------------------------------|
 * | 0           | 8      | magic 89 41 54 4c 52 0d 0a 1a: not text, and damaged by any transfer as text             |
 * | 8           | 4      | version, u32: 1                                                                         |
 * | 12          | 4      | h, length of the header, u32                                                            |
 * | 16          | 8      | length of the file, u64                                                                 |
 * | 24          | h      | header: JSON in UTF-8, defined in header.ts                                             |
 * | 24 + h      | 0 to 7 | zeros, up to a multiple of 8                                                            |
 * |             |        | parameters, each vector of moments, the average if any: float32 or float64 (header)     |
 * |             |        | parameters of the best epoch, if any: float32                                           |
 * | length − 32 | 32     | SHA-256 of everything before                                                            |
 *
 * All vectors are packed: W1 (d1 × d0, row-major), b1, W2, b2, ….
 */

import { architectureOf } from '../../domain/models/architecture.ts';
import type { Activation } from '../../numerics/network/activations.ts';
import { type Architecture, architectureText, parameterCount } from '../../numerics/network/architecture.ts';
import type { Standardization } from '../../numerics/network/layers.ts';
import type { TrainingSnapshot } from '../../numerics/training/snapshot.ts';
import type { CheckpointHeader } from './header.ts';

/** Everything needed to resume a training and its clock, and to predict with its network. */
export interface Checkpoint {
  readonly snapshot: TrainingSnapshot;
  readonly architecture: Architecture;
  readonly activation: Activation;
  readonly standardization: Standardization | null;
  /** Whether multiply-adds were rounded once. Only a processor with the same rounding resumes bit for bit. */
  readonly fused: boolean;
  readonly elapsedSeconds: number;
  /** Duration of the current epoch's steps so far. */
  readonly epochTrainingMs: number;
  readonly evaluationMs: number;
  /** Images and duration of the whole training so far. */
  readonly images: number;
  readonly trainingMs: number;
}

export const MAGIC = Buffer.from([0x89, 0x41, 0x54, 0x4c, 0x52, 0x0d, 0x0a, 0x1a]);
export const VERSION = 1;
export const OFFSETS = { version: 8, headerLength: 12, length: 16, header: 24 } as const;
export const HASH_BYTES = 32;
export const VECTOR = { float32: Float32Array, float64: Float64Array } as const;

/** Describes the first vector whose length does not match the layer sizes, if any. */
export function findLengthMismatch({
  imageShape: inputShape,
  convolutions,
  norm,
  layerSizes,
  lengths: { parameters, moments, average, best },
}: CheckpointHeader): string | null {
  const architecture = architectureOf({ inputShape, convolutions, norm, layerSizes });
  const expected = parameterCount(architecture);
  const wrong = [parameters, ...moments, average ?? expected, best ?? expected].find(
    (length) => length !== expected,
  );
  if (wrong === undefined) return null;
  return `a vector of a ${architectureText(architecture)} network has ${expected} numbers, not ${wrong}`;
}

/** Length of the whole file in bytes. */
export function fileLength(
  { precision, lengths: { parameters, moments, average, best } }: CheckpointHeader,
  headerLength: number,
): number {
  const own =
    parameters * (1 + moments.length + (average === null ? 0 : 1)) * VECTOR[precision].BYTES_PER_ELEMENT;
  return dataOffset(headerLength) + own + (best ?? 0) * Float32Array.BYTES_PER_ELEMENT + HASH_BYTES;
}

export function dataOffset(headerLength: number): number {
  return Math.ceil((OFFSETS.header + headerLength) / 8) * 8;
}
