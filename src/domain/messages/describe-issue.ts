/** Describes zod issues in terms of the request: where, what is wrong, what is allowed. */
import { z } from 'zod';
import { MAX_ERRORS } from '../../errors.ts';
import { issueMessage, kindName, optionsMessage, show } from './issue-message.ts';
import { nearestName } from './nearest-name.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

export interface Described {
  readonly path: Path;
  /** A predicate, such as "must be an integer", or a sentence. */
  readonly detail: string;
}

/** Parses with our own messages instead of zod's. */
export function parse<T extends z.ZodType>(schema: T, data: unknown) {
  return schema.safeParse(data, { error: issueMessage });
}

/**
 * Leaves out issues that say nothing beside another one at their place: the size of a value of the wrong type, such as a string for
 * an array; and the limit to safe integers: zod checks it beside the limit of the schema.
 */
export function withoutImplied(issues: readonly Issue[]): Issue[] {
  // A request may have as many issues as numbers, so they are not compared in pairs.
  const byPlace = Map.groupBy(issues, ({ path }) => path.join());
  return issues.filter((issue) => {
    if (issue.code !== 'too_big' && issue.code !== 'too_small') return true;
    const others = byPlace.get(issue.path.join())!.filter((other) => other !== issue);
    const isSafeLimit =
      (issue.code === 'too_big' && issue.maximum === Number.MAX_SAFE_INTEGER) ||
      (issue.code === 'too_small' && issue.minimum === Number.MIN_SAFE_INTEGER);
    return isSafeLimit ? others.length === 0 : !others.some(({ code }) => code === 'invalid_type');
  });
}

/** All issues but those that say nothing beside another one. */
export function describeIssues(issues: readonly Issue[], schema: unknown, data: unknown): Described[] {
  return withoutImplied(issues).flatMap((issue) => describeIssue(issue, schema, data));
}

/** @param noun the name of a key in the request: `field` or `parameter` */
export function describeIssue(issue: Issue, schema: unknown, data: unknown, noun = 'field'): Described[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const allowed = allowedFields(schema, path, data);
    return issue.keys.map((key, n) => {
      const at = [...path, key];
      // Suggestions for thousands of fields, which no problem lists, would take seconds.
      if (n >= MAX_ERRORS) return { path: at, detail: `Unknown ${noun}.` };
      const elsewhere = noun === 'field' ? fieldElsewhere(schema, at) : undefined;
      return { path: at, detail: describeUnknownField(key, allowed, noun, elsewhere) };
    });
  }
  if (issue.code === 'invalid_union') return describeUnion(issue, schema, data);
  if (issue.code === 'invalid_key') {
    const defects = issue.issues.map(({ message }) => message).join(', ');
    return [{ path, detail: `the name of this field ${defects}` }];
  }
  if (issue.code === 'invalid_value' && path.length > 0 && isNullable(schema, path, data)) {
    return [{ path, detail: optionsMessage([...issue.values, null], valueAt(data, path)) }];
  }
  return [{ path, detail: issue.message }];
}

/** Whether the field at `path` may be null: zod leaves null out of the values of its issue. */
function isNullable(schema: unknown, path: Path, data: unknown): boolean {
  const name = String(path.at(-1));
  return objectsAt(schema, path.slice(0, -1), data).some(({ shape }) => acceptsNull(shape[name]));
}

function acceptsNull(field: unknown): boolean {
  if (field instanceof z.ZodDefault || field instanceof z.ZodOptional) return acceptsNull(field.unwrap());
  return field instanceof z.ZodNullable;
}

interface AllowedFields {
  readonly names: readonly string[];
  /** The value of `type` for which these fields are allowed, if they depend on it. */
  readonly type: string | undefined;
}

/** @param elsewhere what to suggest if no allowed name is similar */
function describeUnknownField(
  name: string,
  { names, type }: AllowedFields,
  noun: string,
  elsewhere: string | undefined,
): string {
  // The name of a record in a query is followed by a key.
  const nearest = nearestName(noun === 'parameter' ? name.split(/[.[]/, 1)[0]! : name, names);
  const suggested = nearest ?? elsewhere;
  const suggestion = suggested ? `Did you mean \`${suggested}\`? ` : '';
  const list = names.length > 0 ? names.join(', ') : 'none';
  return `Unknown ${noun} \`${name}\`. ${suggestion}Allowed${type ? ` with type ${type}` : ''}: ${list}.`;
}

function describeUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  schema: unknown,
  data: unknown,
): Described[] {
  const { path, errors } = issue;
  if ('options' in issue && issue.options) {
    return [{ path, detail: optionsMessage(issue.options, valueAt(data, path)) }];
  }
  // All alternatives require a literal at the same location, such as `type`, and the value equals none of them.
  const literals = errors.map((issues) => issues.find(isLiteralIssue)).filter((found) => found !== undefined);
  if (literals.length > 1 && literals.length === errors.length) {
    const location = [...path, ...literals[0]!.path];
    const allowed = literals.flatMap(({ values }) => values);
    return [{ path: location, detail: optionsMessage(allowed, valueAt(data, location)) }];
  }
  // In the intended alternative, the kind of the value matches, and a deeper field or its size is wrong.
  const intended = errors.find(
    (issues) => !issues.some((inner) => inner.path.length === 0 && expectedKind(inner)),
  );
  if (intended) {
    const located = intended.map((inner) => ({ ...inner, path: [...path, ...inner.path] }));
    return describeIssues(located, schema, data);
  }
  const value = valueAt(data, path);
  if (value === undefined) return [{ path, detail: 'is required' }];
  const kinds = errors.map((issues) => expectedKind(issues[0]!)).filter((kind) => kind !== undefined);
  return [{ path, detail: `must be ${[...new Set(kinds)].join(' or ')}, but is ${show(value)}` }];
}

function isLiteralIssue(issue: Issue): issue is Extract<Issue, { code: 'invalid_value' }> {
  return issue.code === 'invalid_value' && issue.path.length > 0;
}

/** Undefined if the value is of the right kind. */
function expectedKind(issue: Issue): string | undefined {
  if (issue.code === 'invalid_type') return kindName(issue.expected);
  if (issue.code !== 'invalid_value') return undefined;
  return issue.values.map((value) => JSON.stringify(value) ?? String(value)).join(' or ');
}

function allowedFields(schema: unknown, path: Path, data: unknown): AllowedFields {
  const objects = objectsAt(schema, path, data);
  const names = [...new Set(objects.flatMap(({ shape }) => Object.keys(shape)))];
  const [only, ...others] = objects;
  const types = others.length === 0 ? literalValues(only?.shape['type']) : undefined;
  return { names, type: types?.map((value) => JSON.stringify(value)).join(' or ') };
}

/** The object schemas that may apply at `path`, unwrapping defaults, unions, arrays and the like. */
function objectsAt(schema: unknown, path: Path, data: unknown): z.ZodObject[] {
  if (schema instanceof z.ZodUnion) {
    return matchingOptions(data, schema.options).flatMap((option) => objectsAt(option, path, data));
  }
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable
  ) {
    return objectsAt(schema.unwrap(), path, data);
  }
  if (schema instanceof z.ZodPipe) return objectsAt(schema.out, path, data);
  const [key, ...rest] = path;
  if (schema instanceof z.ZodArray && key !== undefined) {
    return objectsAt(schema.element, rest, valueAt(data, [key]));
  }
  if (!(schema instanceof z.ZodObject)) return [];
  return key === undefined ? [schema] : objectsAt(schema.shape[String(key)], rest, valueAt(data, [key]));
}

/** The options whose literal fields, such as `type`, equal the sent value or the default; otherwise all options. */
function matchingOptions(data: unknown, options: readonly unknown[]): readonly unknown[] {
  const matching = options.filter(
    (option) =>
      option instanceof z.ZodObject &&
      Object.entries(option.shape).some(([key, field]) => {
        const fallback = field instanceof z.ZodDefault ? field.def.defaultValue : undefined;
        return literalValues(field)?.includes(valueAt(data, [key]) ?? fallback);
      }),
  );
  return matching.length > 0 ? matching : options;
}

function literalValues(field: unknown): unknown[] | undefined {
  if (field instanceof z.ZodDefault) return literalValues(field.unwrap());
  return field instanceof z.ZodLiteral ? [...field.values] : undefined;
}

/**
 * Pointer to the only field of the schema with the name at the end of `path`. Undefined if that is `path` itself, where the
 * field is allowed with another `type`.
 */
function fieldElsewhere(schema: unknown, path: Path): string | undefined {
  const [only, ...others] = findFields(schema, String(path.at(-1)));
  if (only === undefined || others.length > 0) return undefined;
  const pointer = `/${only.join('/')}`;
  return pointer === `/${path.join('/')}` ? undefined : pointer;
}

/** Paths of the fields that have a name, at any depth of a schema of objects and unions. */
export function findFields(schema: unknown, name: string, path: readonly string[] = []): string[][] {
  const found = objectsAt(schema, [], undefined).flatMap(({ shape }) =>
    Object.entries(shape).flatMap(([key, field]) => [
      ...(key === name ? [[...path, key]] : []),
      ...findFields(field, name, [...path, key]),
    ]),
  );
  // The alternatives of a union have fields in common.
  return [...new Map(found.map((each) => [each.join('/'), each])).values()];
}

export function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null)?.[key], data);
}
