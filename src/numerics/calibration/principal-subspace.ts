/** The principal components of many vectors, by block iteration on their Gram matrix. */
import { combine, dot, gramMatrix, meanVector } from '../sgd-path/principal-components.ts';
import type { Pixels } from '../training/engine.ts';

interface PrincipalSubspace {
  readonly mean: Float64Array;
  /** Orthonormal directions of the largest variance, largest first. Fewer than requested if the others have no variance. */
  readonly components: readonly Float64Array[];
}

/** More vectors than requested make the iteration converge faster: by λ(k + EXTRA) / λ(k) per step. */
const EXTRA = 10;
const STEPS = 8;
/** Variances below this fraction of the total are rounding noise. */
const NOISE = 1e-12;
const MAX_SWEEPS = 30;

/**
 * Subspace iteration with a Rayleigh–Ritz step at its end (Golub and Van Loan, "Matrix Computations", 8.2.4), with the Gram
 * matrix of the m vectors in place of the covariance matrix of their n numbers (Sirovich 1987).
 * @param vectors m vectors of equal length
 */
export function principalSubspace(vectors: readonly Pixels[], count: number): PrincipalSubspace {
  const m = vectors.length;
  const mean = meanVector(vectors);
  const gram = gramMatrix(vectors, mean);
  let total = 0;
  for (let r = 0; r < m; r++) total += gram[r * m + r]!;
  const size = Math.min(m, count + EXTRA);
  // It starts with the columns of evenly spaced vectors.
  let block: Float64Array[] = Array.from({ length: size }, (_, j) => {
    const column = Math.floor((j * m) / size);
    return gram.slice(column * m, (column + 1) * m);
  });
  for (let step = 0; step < STEPS; step++) block = multiply(gram, orthonormalize(block, total));
  block = orthonormalize(block, total);
  const images = multiply(gram, block);
  const { values, vectors: turns } = symmetricEigen(
    block.map((row) => Float64Array.from(images, (image) => dot(row, image, m))),
  );
  const components: Float64Array[] = [];
  for (const k of [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b).slice(0, count)) {
    if (!(values[k]! > NOISE * total)) break;
    const weights = new Float64Array(m);
    for (const [j, row] of block.entries()) {
      const factor = turns[j]![k]! / Math.sqrt(values[k]!);
      for (let r = 0; r < m; r++) weights[r]! += factor * row[r]!;
    }
    components.push(combine(vectors, mean, weights));
  }
  return { mean, components };
}

/** The products of a symmetric matrix with each vector. */
function multiply(matrix: Float64Array, block: readonly Float64Array[]): Float64Array[] {
  const m = Math.sqrt(matrix.length);
  const products = block.map(() => new Float64Array(m));
  for (let r = 0; r < m; r++) {
    const row = matrix.subarray(r * m, (r + 1) * m);
    for (const [j, vector] of block.entries()) products[j]![r] = dot(row, vector, m);
  }
  return products;
}

/** Modified Gram–Schmidt, twice. A vector that depends on those before it is left out. */
function orthonormalize(block: readonly Float64Array[], total: number): Float64Array[] {
  const done: Float64Array[] = [];
  for (const vector of block) {
    const { length } = vector;
    const next = vector.slice();
    for (let round = 0; round < 2; round++) {
      for (const other of done) {
        const part = dot(next, other, length);
        for (let i = 0; i < length; i++) next[i]! -= part * other[i]!;
      }
    }
    const norm = Math.sqrt(dot(next, next, length));
    if (norm > NOISE * total) done.push(next.map((value) => value / norm));
  }
  return done;
}

/**
 * Cyclic Jacobi rotations (Golub and Van Loan, 8.5.3).
 * @returns unordered eigenvalues; column k of `vectors` belongs to the k-th
 */
function symmetricEigen(matrix: Float64Array[]): { values: Float64Array; vectors: Float64Array[] } {
  const m = matrix.length;
  const a = matrix.map((row) => row.slice());
  const vectors = a.map((_, r) => Float64Array.from({ length: m }, (__, c) => (r === c ? 1 : 0)));
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    let rotations = 0;
    for (let p = 0; p < m; p++) {
      for (let q = p + 1; q < m; q++) {
        const off = a[p]![q]!;
        if (Math.abs(off) <= Number.EPSILON * Math.sqrt(Math.abs(a[p]![p]! * a[q]![q]!))) continue;
        rotations++;
        const tau = (a[q]![q]! - a[p]![p]!) / (2 * off);
        const t = (tau < 0 ? -1 : 1) / (Math.abs(tau) + Math.sqrt(1 + tau * tau));
        const c = 1 / Math.sqrt(1 + t * t);
        const s = t * c;
        for (let k = 0; k < m; k++) {
          const [x, y] = [a[k]![p]!, a[k]![q]!];
          a[k]![p] = c * x - s * y;
          a[k]![q] = s * x + c * y;
        }
        for (let k = 0; k < m; k++) {
          const [x, y] = [a[p]![k]!, a[q]![k]!];
          a[p]![k] = c * x - s * y;
          a[q]![k] = s * x + c * y;
          const [v, w] = [vectors[k]![p]!, vectors[k]![q]!];
          vectors[k]![p] = c * v - s * w;
          vectors[k]![q] = s * v + c * w;
        }
      }
    }
    if (rotations === 0) break;
  }
  return { values: Float64Array.from(a, (row, k) => row[k]!), vectors };
}
