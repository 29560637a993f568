/** JSON parsing with limits that are checked first, to bound the memory of the parser. */
import type { z } from 'zod';
import { issueMessage, toSentence } from '../../domain/messages/issue-message.ts';
import { jsonPointer } from '../../domain/messages/json-pointer.ts';
import { AtelierError, type ErrorCode, type ErrorDetail } from '../../errors.ts';
import { unwrapSingleNumbers } from './single-numbers.ts';
import { COMMA, isClosing, isOpening, QUOTE, scanStructure } from './structure.ts';

export interface JsonLimits {
  /** Levels of nesting. */
  readonly depth: number;
  readonly values: number;
  /** Objects, arrays and strings; each takes many times the memory of a number. */
  readonly parts?: number;
}

/** Limits for request bodies of other protocols: as many images as a million rows hold. */
export const BODY_LIMITS: JsonLimits = { depth: 32, values: 2 ** 24, parts: 2 ** 20 };
const FEWER_IMAGES =
  'Send fewer images, or each of them as one array of numbers: nested, an image in colour has an array for each pixel';
const MAX_ISSUES = 20;

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Describes the exceeded limit, if any. The syntax is left to the parser. */
export function findLimitViolation(
  bytes: Uint8Array,
  { depth, values, parts = Number.POSITIVE_INFINITY }: JsonLimits,
): string | undefined {
  let [nested, commas, opened] = [0, 0, 0];
  let violation: string | undefined;
  scanStructure(bytes, (byte) => {
    if (byte === COMMA) commas++;
    else if (byte === QUOTE) opened++;
    else if (isClosing(byte)) nested--;
    else if (isOpening(byte)) {
      nested++;
      opened++;
    }
    if (nested > depth) violation = `it is nested deeper than ${depth} levels`;
    else if (commas >= values) violation = `it has more than ${values} values`;
    else if (opened > parts) violation = `it has more than ${parts} objects, arrays and strings`;
    return violation !== undefined;
  });
  return violation;
}

/**
 * @param bytes changed in place if they hold too many arrays, see `unwrapSingleNumbers`
 * @throws AtelierError `malformed-body`
 */
export function parseJson(bytes: Uint8Array): unknown {
  if (findLimitViolation(bytes, BODY_LIMITS) !== undefined) {
    unwrapSingleNumbers(bytes);
    const violation = findLimitViolation(bytes, BODY_LIMITS);
    if (violation !== undefined) malformed(`${violation}. ${FEWER_IMAGES}`);
  }
  try {
    return JSON.parse(UTF8.decode(bytes));
  } catch (cause) {
    return malformed(cause instanceof SyntaxError ? cause.message : 'it is not UTF-8', cause);
  }
}

function malformed(defect: string, cause?: unknown): never {
  throw new AtelierError('malformed-body', `The body cannot be read as JSON: ${defect}.`, { cause });
}

/**
 * Parses JSON and validates it against a schema.
 * @throws AtelierError `malformed-body`, `invalid-request`
 */
export function readJson<T extends z.ZodType>(bytes: Uint8Array, schema: T): z.output<T> {
  const { data, error } = schema.safeParse(parseJson(bytes), { error: issueMessage });
  if (error === undefined) return data as z.output<T>;
  const details: ErrorDetail[] = error.issues.slice(0, MAX_ISSUES).map(({ path, message }) => ({
    pointer: jsonPointer(path),
    detail: toSentence(message),
  }));
  const issues = details.map((issue) => `${'pointer' in issue && issue.pointer}: ${issue.detail}`);
  throw new AtelierError('invalid-request', `The body is invalid. ${issues.join(' ')}`, { details });
}

/** @throws AtelierError with the JSON pointer; `invalid-request` unless another code is given */
export function rejectAt(pointer: string, detail: string, code: ErrorCode = 'invalid-request'): never {
  throw new AtelierError(code, `${pointer} ${detail}.`, { details: [{ pointer, detail }] });
}
