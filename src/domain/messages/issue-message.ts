/** Messages for zod issues in our own words: what is allowed and what was sent. */
import type { z } from 'zod';
import { MAX_ERRORS } from '../../errors.ts';
import { nearestName } from './nearest-name.ts';

type Issue = z.core.$ZodRawIssue;

/** Longer strings are truncated. */
const MAX_QUOTED_CHARS = 40;

const KINDS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'an integer',
  boolean: 'true or false',
  array: 'an array',
  tuple: 'an array',
  object: 'an object',
  record: 'an object',
  null: 'null',
  undefined: 'left out',
};

/**
 * A predicate such as `must be an integer, but is "abc"`, for `schema.safeParse(data, { error: issueMessage })`. Messages of
 * the schema itself take precedence.
 */
export function issueMessage(issue: Issue): string {
  const { input } = issue;
  switch (issue.code) {
    case 'invalid_type':
      return input === undefined
        ? 'is required'
        : `must be ${kindName(issue.expected)}, but is ${show(input)}`;
    case 'invalid_value':
      return optionsMessage(issue.values, input);
    case 'too_small':
      return sizeMessage(
        issue.origin,
        input,
        issue.exact ? 'exactly' : 'at least',
        issue.minimum,
        issue.inclusive,
      );
    case 'too_big':
      return sizeMessage(
        issue.origin,
        input,
        issue.exact ? 'exactly' : 'at most',
        issue.maximum,
        issue.inclusive,
      );
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}, but is ${show(input)}`;
    case 'invalid_format':
      return issue.format === 'regex' && issue.pattern
        ? `must match ${issue.pattern}, but is ${show(input)}`
        : `must be a valid ${issue.format}, but is ${show(input)}`;
    case 'unrecognized_keys':
      return `has unknown fields: ${issue.keys.map((key, n) => (n < MAX_ERRORS ? withSuggestion(key, issue) : key)).join(', ')}`;
    case 'invalid_key':
      return 'has a field with an invalid name';
    case 'invalid_element':
      return 'has an invalid element';
    case 'invalid_union':
      return `must match one of the alternatives, but is ${show(input)}`;
    default:
      return `is invalid: ${show(input)}`;
  }
}

function withSuggestion(key: string, { inst }: Issue): string {
  const { shape = {} } = (inst?._zod.def ?? {}) as { shape?: object };
  const nearest = nearestName(key, Object.keys(shape));
  return nearest ? `${key} (did you mean ${nearest}?)` : key;
}

/** @returns the predicate for a value that is not among the allowed ones */
export function optionsMessage(allowed: readonly unknown[], input: unknown): string {
  const options = allowed.map((value) => JSON.stringify(value) ?? String(value)).join(', ');
  const rule = allowed.length === 1 ? `must be ${options}` : `must be one of ${options}`;
  return input === undefined ? `is required and ${rule}` : `${rule}, but is ${show(input)}`;
}

/** @returns the name of a zod type with its article, such as "an integer" */
export function kindName(expected: string): string {
  return KINDS[expected] ?? `of type ${expected}`;
}

/** @returns short text for a value of a request: scalars as they are, long strings truncated, others by their kind */
export function show(input: unknown): string {
  if (Array.isArray(input)) return 'an array';
  if (typeof input === 'object' && input !== null) return 'an object';
  if (typeof input !== 'string') return String(input);
  const isLong = input.length > MAX_QUOTED_CHARS;
  return JSON.stringify(isLong ? `${input.slice(0, MAX_QUOTED_CHARS)}…` : input);
}

/** Converts text to sentence case with a full stop. A name in backticks at its start stays as it is. */
export function toSentence(text: string): string {
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`;
}

function sizeMessage(
  origin: string,
  input: unknown,
  comparison: string,
  limit: number | bigint,
  inclusive = true,
): string {
  if (origin === 'string') {
    if (comparison === 'at least' && limit === 1) return 'must not be empty';
    return `must have ${comparison} ${limit} characters, but has ${(input as string).length}`;
  }
  if (Array.isArray(input)) {
    if (comparison === 'at least' && limit === 1) return 'must not be empty';
    return `must have ${comparison} ${limit} ${limit === 1 ? 'item' : 'items'}, but has ${input.length}`;
  }
  const bound = inclusive ? comparison : comparison === 'at least' ? 'greater than' : 'less than';
  return `must be ${bound} ${limit}, but is ${show(input)}`;
}
