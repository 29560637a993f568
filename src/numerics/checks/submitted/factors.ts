/** Factors between a wrong gradient and the right one, and what they mean. */

export interface KnownFactor {
  readonly value: number;
  /** A clause after "the numbers are 5 times the right ones: "; empty without a typical reason. */
  readonly reason: string;
}

/** Relative distance within which a fitted factor is a known one. */
const NEAR = 2e-4;

/** The factors of typical mistakes; their signs may be wrong as well. */
export function knownFactors(examples: number, classes: number): KnownFactor[] {
  return [
    { value: 1, reason: '' },
    { value: examples, reason: `a sum over the ${examples} examples where a mean should be` },
    { value: 1 / examples, reason: `a mean that is divided by the ${examples} examples once more` },
    { value: 2, reason: '' },
    { value: 1 / 2, reason: '' },
    { value: 1 / classes, reason: `a mean over the ${classes} classes as well as over the examples` },
  ];
}

/** The known factor with the absolute value of `factor`; the first one of equal ones. */
export function findFactor(known: readonly KnownFactor[], factor: number): KnownFactor | undefined {
  return known.find(({ value }) => Math.abs(Math.abs(factor) - value) <= NEAR * value);
}

/** The factor as it is reported: a known one exactly, others with six digits. */
export const roundFactor = (factor: number, known: KnownFactor | undefined): number =>
  known === undefined ? Number(factor.toPrecision(6)) : Math.sign(factor) * known.value;

/** Clauses about a factor that is not 1. */
export function describeFactor(factor: number, known: KnownFactor | undefined): string[] {
  const clauses: string[] = [];
  if (factor < 0) clauses.push('the sign is wrong');
  const size = Math.abs(factor);
  if (size === 1) return clauses;
  const times = size < 1 && known ? `1/${Math.round(1 / size)} of` : `${size} times`;
  clauses.push(`the numbers are ${times} the right ones${known?.reason ? `: ${known.reason}` : ''}`);
  return clauses;
}
