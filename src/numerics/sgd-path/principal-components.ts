/** Principal components of a few long vectors: Gram matrix, power iteration with deflation. */

export interface PrincipalComponents {
  /** Mean of the vectors. */
  readonly mean: Float64Array;
  /** Orthonormal directions of the largest variance, longest first. The largest coordinate of each is positive. */
  readonly components: readonly Float64Array[];
  /** For each component, the coordinate of every vector, relative to the mean. */
  readonly coordinates: readonly Float64Array[];
  /** For each component, its fraction of the total variance. */
  readonly explainedVariance: readonly number[];
}

/** Numbers of a vector that are centred at a time: few, to bound the memory and stay in the cache. */
const BLOCK = 2048;
/** Enough for eigenvalues that differ by a few per cent; closer ones have no distinct directions. */
const MAX_ITERATIONS = 10_000;
/** Change of a unit vector at which the iteration ends. */
const CONVERGED = 1e-13;
/** Variances below this fraction of the total are rounding noise. */
const NOISE = 1e-14;

/**
 * The m × m Gram matrix has the same eigenvalues as the covariance of n numbers, up to a factor, and is small:
 * O(m² n) instead of O(n² m). Sirovich, "Turbulence and the dynamics of coherent structures", 1987 (method of snapshots).
 * A component without variance is zero, with zero coordinates.
 * @param vectors m vectors of equal length n
 */
export function principalComponents(vectors: readonly Float32Array[], count: number): PrincipalComponents {
  const m = vectors.length;
  const mean = meanVector(vectors);
  const gram = gramMatrix(vectors, mean);
  const total = trace(gram, m);
  const components: Float64Array[] = [];
  const coordinates: Float64Array[] = [];
  const explainedVariance: number[] = [];
  for (let k = 0; k < count; k++) {
    const { value, vector } = largestEigenpair(gram, m);
    if (!(value > NOISE * total)) {
      components.push(new Float64Array(mean.length));
      coordinates.push(new Float64Array(m));
      explainedVariance.push(0);
      continue;
    }
    deflate(gram, vector, value);
    const scale = Math.sqrt(value);
    const component = combine(
      vectors,
      mean,
      vector.map((v) => v / scale),
    );
    const sign = Math.sign(largest(component));
    components.push(component.map((c) => sign * c));
    coordinates.push(vector.map((v) => sign * scale * v));
    explainedVariance.push(value / total);
  }
  return { mean, components, coordinates, explainedVariance };
}

export function meanVector(vectors: readonly (Float32Array | Uint8Array)[]): Float64Array {
  const mean = new Float64Array(vectors[0]!.length);
  for (const vector of vectors) for (let i = 0; i < mean.length; i++) mean[i]! += vector[i]!;
  return mean.map((sum) => sum / vectors.length);
}

/** Inner products of the centred vectors, m × m, row-major. */
export function gramMatrix(
  vectors: readonly (Float32Array | Uint8Array)[],
  mean: Float64Array,
): Float64Array {
  const m = vectors.length;
  const gram = new Float64Array(m * m);
  const rows = vectors.map(() => new Float64Array(BLOCK));
  for (let start = 0; start < mean.length; start += BLOCK) {
    const length = Math.min(BLOCK, mean.length - start);
    for (const [r, row] of rows.entries()) {
      for (let i = 0; i < length; i++) row[i] = vectors[r]![start + i]! - mean[start + i]!;
    }
    for (let r = 0; r < m; r++) {
      for (let c = 0; c <= r; c++) gram[r * m + c]! += dot(rows[r]!, rows[c]!, length);
    }
  }
  for (let r = 0; r < m; r++) for (let c = r + 1; c < m; c++) gram[r * m + c] = gram[c * m + r]!;
  return gram;
}

export function dot(a: Float64Array, b: Float64Array, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function trace(matrix: Float64Array, m: number): number {
  let sum = 0;
  for (let r = 0; r < m; r++) sum += matrix[r * m + r]!;
  return sum;
}

/** Power iteration from the longest row of a symmetric positive semidefinite matrix. */
function largestEigenpair(matrix: Float64Array, m: number): { value: number; vector: Float64Array } {
  const rows = Array.from({ length: m }, (_, r) => matrix.subarray(r * m, (r + 1) * m));
  const longest = rows.reduce((best, row) => (dot(row, row, m) > dot(best, best, m) ? row : best));
  let vector = normalize(Float64Array.from(longest));
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const next = normalize(Float64Array.from(rows, (row) => dot(row, vector, m)));
    const change = next.reduce((most, v, i) => Math.max(most, Math.abs(v - vector[i]!)), 0);
    vector = next;
    if (change <= CONVERGED) break;
  }
  const value = rows.reduce((sum, row, r) => sum + vector[r]! * dot(row, vector, m), 0);
  return { value, vector };
}

/** A zero vector stays zero. */
function normalize(vector: Float64Array): Float64Array {
  const norm = Math.sqrt(dot(vector, vector, vector.length));
  return norm === 0 ? vector : vector.map((v) => v / norm);
}

/** Hotelling's deflation: subtracts λ v vᵀ. */
function deflate(matrix: Float64Array, vector: Float64Array, value: number): void {
  const m = vector.length;
  for (let r = 0; r < m; r++) {
    for (let c = 0; c < m; c++) matrix[r * m + c]! -= value * vector[r]! * vector[c]!;
  }
}

/** Σ weight · (vector − mean) */
export function combine(
  vectors: readonly (Float32Array | Uint8Array)[],
  mean: Float64Array,
  weights: Float64Array,
): Float64Array {
  const sum = new Float64Array(mean.length);
  for (const [r, vector] of vectors.entries()) {
    const weight = weights[r]!;
    for (let i = 0; i < sum.length; i++) sum[i]! += weight * (vector[i]! - mean[i]!);
  }
  return sum;
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
}
