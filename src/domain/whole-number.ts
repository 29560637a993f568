/** Whole numbers in paths, queries and headers, which come as text. */
import { z } from 'zod';

const DIGITS = /^(0|[1-9][0-9]*)$/;

/**
 * Decimal digits only, as in a body. `Number` takes '', ' 1', '1e3', '0x10' and '1.0' as well. What is taken without one is its
 * `prefault`: a `default` would not be in the contract.
 */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.preprocess(
    (text) => (typeof text === 'string' && DIGITS.test(text) ? Number(text) : text),
    z.int({ error, abort: true }).min(min, { error, abort: true }).max(max, error),
  );
}
