/** Schemas of single values: whole numbers and JSON that arrive as text, and metadata. */
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

/** @param otherwise what to say of text that is none */
export function jsonText<T extends z.ZodType>(schema: T, otherwise = 'is not JSON') {
  return z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: otherwise });
        return z.NEVER;
      }
    })
    .pipe(schema);
}

/** Free text attached to a job or a version. */
export const metadataSchema = z
  .record(z.string().min(1).max(64), z.string().max(256))
  .refine((value) => Object.keys(value).length <= 16, 'at most 16 entries');
