/**
 * The kernel computes in float32, which holds nothing of a smaller one: 1e-46 is 0 there. Limits of requests alone, not of
 * the schema that answers share: jobs that were made before there were limits can still be shown.
 */
export const SMALLEST = {
  clipNorm: 1e-6,
  /** Squares of gradients below 2⁻¹⁰⁰ are kept as 0; their root, 1e-15, has to be nothing beside it. */
  epsilon: 1e-15,
  classWeight: 1e-6,
} as const;

interface Sent {
  readonly optimizer: { readonly type: string; readonly epsilon?: number };
  readonly clipNorm: number | null;
  readonly classWeights: 'balanced' | readonly number[] | null;
}

interface TooSmall {
  /** Within `training`. */
  readonly path: (string | number)[];
  readonly message: string;
}

export function tooSmall({ optimizer, clipNorm, classWeights }: Sent): TooSmall[] {
  const found: TooSmall[] = [];
  if (clipNorm !== null && clipNorm < SMALLEST.clipNorm) {
    const advice = `must be at least ${SMALLEST.clipNorm}, or null, which clips nothing`;
    found.push({ path: ['clipNorm'], message: advice });
  }
  if (optimizer.epsilon !== undefined && optimizer.epsilon < SMALLEST.epsilon) {
    found.push({ path: ['optimizer', 'epsilon'], message: `must be at least ${SMALLEST.epsilon}` });
  }
  if (Array.isArray(classWeights)) {
    for (const [label, weight] of classWeights.entries()) {
      if (weight === 0 || weight >= SMALLEST.classWeight) continue;
      found.push({ path: ['classWeights', label], message: `must be 0 or at least ${SMALLEST.classWeight}` });
    }
  }
  return found;
}
