/** Probabilities as the codecs need them: rows, rankings, plain arrays. */
import { AtelierError } from '../errors.ts';
import type { ServedModel } from './codec.ts';

/** Copies a row into a plain array. Uses a loop, because Array.from takes as long as the prediction itself. */
export function toArray(row: ArrayLike<number>): number[] {
  const numbers: number[] = [];
  for (let k = 0; k < row.length; k++) numbers.push(row[k]!);
  return numbers;
}

/** The rows of a row-major matrix, as views. */
export function matrixRows(matrix: Float32Array, columns: number): Float32Array[] {
  return Array.from({ length: matrix.length / columns }, (_, n) =>
    matrix.subarray(n * columns, (n + 1) * columns),
  );
}

/** The k most probable classes, most probable first; equal ones in the order of their labels. */
export function rankClasses(probabilities: ArrayLike<number>, classNames: readonly string[], k: number) {
  return Array.from(probabilities, (probability, label) => ({
    label,
    className: classNames[label]!,
    probability,
  }))
    .sort((a, b) => b.probability - a.probability || a.label - b.label)
    .slice(0, k);
}

/** @throws AtelierError `impossible-request` if a probability is NaN: many clients cannot read it */
export function assertFinite({ reference }: ServedModel, probabilities: Float32Array): void {
  // Infinite logits make the softmax sum NaN, so every infinity ends up here too.
  if (!probabilities.some(Number.isNaN)) return;
  throw new AtelierError(
    'impossible-request',
    `The logits of ${reference.name} version ${reference.version} overflow for these images, so the probabilities are undefined. Use another version.`,
  );
}
