/**
 * Lower limits of options for the float32 kernel: much smaller values underflow to 0 in it.
 * Only requests are checked. The schema of responses has no such limits, so that older jobs can still be shown.
 */
export const FLOAT32_MINIMUMS = {
  clipNorm: 1e-6,
  /** The kernel stores second moments below 2⁻¹⁰⁰ as 0, so epsilon must be at least about √2⁻¹⁰⁰ ≈ 1e-15. */
  epsilon: 1e-15,
  classWeight: 1e-6,
} as const;

interface CheckedOptions {
  readonly optimizer: { readonly type: string; readonly epsilon?: number };
  readonly clipNorm: number | null;
  readonly classWeights: 'balanced' | readonly number[] | null;
}

interface Underflow {
  /** Path within `training`. */
  readonly path: (string | number)[];
  readonly message: string;
}

export function findUnderflows({ optimizer, clipNorm, classWeights }: CheckedOptions): Underflow[] {
  const underflows: Underflow[] = [];
  if (clipNorm !== null && clipNorm < FLOAT32_MINIMUMS.clipNorm) {
    underflows.push({
      path: ['clipNorm'],
      message: `must be at least ${FLOAT32_MINIMUMS.clipNorm}, or null for no clipping`,
    });
  }
  if (optimizer.epsilon !== undefined && optimizer.epsilon < FLOAT32_MINIMUMS.epsilon) {
    underflows.push({
      path: ['optimizer', 'epsilon'],
      message: `must be at least ${FLOAT32_MINIMUMS.epsilon}`,
    });
  }
  if (Array.isArray(classWeights)) {
    for (const [label, weight] of classWeights.entries()) {
      if (weight === 0 || weight >= FLOAT32_MINIMUMS.classWeight) continue;
      underflows.push({
        path: ['classWeights', label],
        message: `must be 0 or at least ${FLOAT32_MINIMUMS.classWeight}`,
      });
    }
  }
  return underflows;
}
