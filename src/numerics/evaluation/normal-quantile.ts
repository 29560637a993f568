/** Upper quantiles of the standard normal distribution. */

type Polynomial = readonly number[];

/** Coefficients of numerator and denominator, ascending, for r = √(−ln p) ≤ 5, in r − 1.6. */
const MIDDLE: readonly [Polynomial, Polynomial] = [
  [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
    0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
    0.0005475938084995345, 1.0507500716444169e-9,
  ],
];

/** The same for r > 5, in r − 5. */
const FAR: readonly [Polynomial, Polynomial] = [
  [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
    0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
  ],
  [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133,
    1.8463183175100548e-5, 1.421511758316446e-7, 2.0442631033899397e-15,
  ],
];

/**
 * The z with P(Z > z) = p, to a relative 1e-15, by the rational approximations of Wichura (1988), Algorithm AS 241.
 * @param p at most 0.075, where they hold
 * @throws RangeError for other p
 */
export function upperQuantile(p: number): number {
  if (!(p > 0 && p <= 0.075)) throw new RangeError(`The tail ${p} is not in (0, 0.075].`);
  const r = Math.sqrt(-Math.log(p));
  const [[numerator, denominator], x] = r <= 5 ? [MIDDLE, r - 1.6] : [FAR, r - 5];
  return evaluate(numerator, x) / evaluate(denominator, x);
}

function evaluate(coefficients: Polynomial, x: number): number {
  return coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
}
