/** McNemar's test (1947): whether two classifiers differ in accuracy on the same examples. */

export const MCNEMAR_METHODS = ['exact-binomial', 'chi-square-with-continuity-correction'] as const;

export interface McNemarTest {
  readonly method: (typeof MCNEMAR_METHODS)[number];
  /** χ²; null for the exact test. */
  readonly statistic: number | null;
  /** Two-sided. */
  readonly pValue: number;
}

/** From this number of examples that only one of the two got right, the distribution is close to χ². */
const LARGE = 25;

/**
 * If b + c < 25: p = min(1, 2 P(X ≤ min(b, c))), X binomial of b + c and ½. Otherwise
 * χ² = (|b − c| − 1)² / (b + c), 0 for b = c as in R, with one degree of freedom.
 * @param b number of examples that only the first got right
 * @param c number of examples that only the second got right
 */
export function mcnemar(b: number, c: number): McNemarTest {
  const n = b + c;
  if (n < LARGE) {
    return {
      method: 'exact-binomial',
      statistic: null,
      pValue: Math.min(1, 2 * lowerTail(Math.min(b, c), n)),
    };
  }
  const statistic = Math.max(0, Math.abs(b - c) - 1) ** 2 / n;
  return {
    method: 'chi-square-with-continuity-correction',
    statistic,
    pValue: chiSquareTail(statistic),
  };
}

/** P(X ≤ k) = Σ_{i ≤ k} C(n, i) / 2ⁿ. The sum is exact, because its terms are whole numbers. */
function lowerTail(k: number, n: number): number {
  let [sum, choose] = [0, 1];
  for (let i = 0; i <= k; i++) {
    sum += choose;
    choose = (choose * (n - i)) / (i + 1);
  }
  return sum / 2 ** n;
}

/**
 * P(χ²₁ > x) = erfc(√(x / 2)) = Γ(½, x/2) / √π, to a relative 1e-13 until it underflows. With y = x / 2:
 * 1 − e⁻ʸ √(y/π) Σ_k yᵏ / (½)(3/2)…(½ + k) while that is large, then Legendre's continued fraction
 * e⁻ʸ √(y/π) / (y + ½ − (½ · 1) / (y + 5/2 − (3/2 · 2) / (y + 9/2 − …))) (Abramowitz and Stegun 6.5.29, 6.5.31). It
 * loses no digits in the tail.
 */
export function chiSquareTail(x: number): number {
  const y = x / 2;
  const factor = Math.exp(-y) * Math.sqrt(y / Math.PI);
  if (y < 2) {
    let [sum, term] = [0, 2];
    for (let k = 1; sum + term !== sum; k++) {
      sum += term;
      term *= y / (k + 0.5);
    }
    return 1 - factor * sum;
  }
  // Evaluated from the inside out; 100 levels suffice for y ≥ 2.
  let fraction = y + 2 * 100 + 0.5;
  for (let k = 100; k > 0; k--) fraction = y + 2 * (k - 1) + 0.5 - (k * (k - 0.5)) / fraction;
  return factor / fraction;
}
