/** Shared schemas: numbers and JSON that arrive as text, well-formed Unicode, metadata. */
import { z } from 'zod';
import { show } from './messages/issue-message.ts';

const DIGITS = /^(0|[1-9][0-9]*)$/;
const DECIMAL = /^(0|[1-9][0-9]*)(\.[0-9]+)?$/;

/**
 * A whole number that arrives as text, in a path, query or header. Only decimal digits are accepted; `Number` would
 * also accept '', ' 1', '1e3', '0x10' and '1.0'. Give defaults with
 * `.prefault()`; with `.default()` they would be missing in the OpenAPI document.
 */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER) {
  const allowed = max === Number.MAX_SAFE_INTEGER ? `, at least ${min}` : ` from ${min} to ${max}`;
  const error = `must be a whole number${allowed}`;
  return z.preprocess(
    (text) => (typeof text === 'string' && DIGITS.test(text) ? Number(text) : text),
    z.int({ error, abort: true }).min(min, { error, abort: true }).max(max, error),
  );
}

/** A number that arrives as text, in a query: decimal digits, at most one point, no exponent. */
export function decimalNumber(min: number, max: number) {
  const error = ({ input }: { readonly input?: unknown }) =>
    `must be a number from ${min} to ${max}, but is ${show(input)}`;
  return z.preprocess(
    (text) => (typeof text === 'string' && DECIMAL.test(text) ? Number(text) : text),
    z.number({ error }).min(min, { error }).max(max, { error }),
  );
}

/**
 * JSON that arrives as text, in a form field or in the metadata of a file.
 * @param otherwise the message for text that is not JSON
 */
export function jsonText<T extends z.ZodType>(schema: T, otherwise = 'is not JSON') {
  return z
    .string()
    .transform((text, context) => {
      const reject = (message: string) => {
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      };
      try {
        // A record would drop it silently. The parser of JSON bodies rejects it, too.
        const value: unknown = JSON.parse(text);
        return namesPrototype(value) ? reject('must not have a field named __proto__') : value;
      } catch {
        return reject(otherwise);
      }
    })
    .pipe(schema);
}

/** Whether an object of the value has a field `__proto__`. A reviver of JSON.parse would take ten times as long. */
function namesPrototype(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(namesPrototype);
}

/**
 * Names that arrive as text: separated by commas, or as a JSON array for names that contain commas. Surrounding spaces
 * are removed from the former.
 */
export function namesText<T extends z.ZodType>(schema: T) {
  const text = jsonText(schema, 'must be names separated by commas, such as cat,dog, or a JSON array');
  return z.preprocess((value) => {
    if (typeof value !== 'string' || /^\s*[[{"]/.test(value)) return value;
    return JSON.stringify(value.split(',').map((name) => name.trim()));
  }, text);
}

/**
 * Arguments of `.refine()` for well-formed Unicode. A JSON escape can produce a lone surrogate. Neither a header nor a
 * UTF-8 file can contain one.
 */
export const wellFormed = [
  (text: string) => text.isWellFormed(),
  'must be well-formed Unicode, without half of a surrogate pair',
] as const;

/** Arguments of `.regex()` for text in a column of its own: PostgreSQL cannot store the character NUL. */
export const withoutNul = [/^[^\0]*$/, 'must not contain the character NUL'] as const;

/** Metadata that a response may contain: earlier releases checked it for neither NUL nor halves of surrogate pairs. */
export const metadataSchema = z
  .record(z.string().min(1).max(64), z.string().max(256))
  .refine((value) => Object.keys(value).length <= 16, 'must have at most 16 entries');

/** Metadata of a request: free text attached to a job or a version. */
export const newMetadataSchema = metadataSchema
  .refine((metadata) => !Object.entries(metadata).flat().join('').includes('\0'), withoutNul[1])
  .refine((metadata) => Object.entries(metadata).flat().every(wellFormed[0]), wellFormed[1]);
