/** What zod found wrong, said as a place, what is wrong there, and what is allowed, in the terms of what was sent. */
import { z } from 'zod';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

export interface Described {
  readonly path: Path;
  readonly detail: string;
}

export function describeIssue(issue: Issue, schema: unknown, data: unknown): Described[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const allowed = describeAllowedFields(schema, path, data);
    return issue.keys.map((key) => ({ path: [...path, key], detail: `Unknown field; ${allowed}` }));
  }
  if (issue.code === 'invalid_union') return describeUnion(issue, schema, data);
  if (issue.code === 'invalid_key') {
    return [{ path, detail: `Invalid key: ${issue.issues.map(({ message }) => message).join(', ')}` }];
  }
  const isMissing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
  return [{ path, detail: isMissing ? 'is required' : issue.message }];
}

function describeUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  schema: unknown,
  data: unknown,
): Described[] {
  const { path, errors } = issue;
  if ('options' in issue && issue.options)
    return [{ path, detail: describeOptions(issue.options, valueAt(data, path)) }];
  // Each alternative wants another word at one place, as `type`, and that is not among them.
  const literalIssues = errors
    .map((issues) => issues.find(isLiteralIssue))
    .filter((found) => found !== undefined);
  if (literalIssues.length > 1 && literalIssues.length === errors.length) {
    const place = [...path, ...literalIssues[0]!.path];
    const allowed = literalIssues.flatMap(({ values }) => values);
    return [{ path: place, detail: describeOptions(allowed, valueAt(data, place)) }];
  }
  // The alternative that fits at the top and fails deeper, or by its size, is the one that was meant.
  const meant = errors.find(
    (issues) => !issues.some((inner) => inner.path.length === 0 && expectedKind(inner)),
  );
  if (meant) {
    return meant.flatMap((inner) =>
      describeIssue({ ...inner, path: [...path, ...inner.path] }, schema, data),
    );
  }
  const wanted = new Set(errors.map((issues) => expectedKind(issues[0]!) ?? issues[0]!.message));
  const received = z.core.util.parsedType(valueAt(data, path));
  return [{ path, detail: `Invalid input: expected ${[...wanted].join(' or ')}, received ${received}` }];
}

function isLiteralIssue(issue: Issue): issue is Extract<Issue, { code: 'invalid_value' }> {
  return issue.code === 'invalid_value' && issue.path.length > 0;
}

/** What should have been there instead; undefined where it is of the right kind. */
function expectedKind(issue: Issue): string | undefined {
  if (issue.code === 'invalid_type') return issue.expected;
  return issue.code === 'invalid_value' ? quote(issue.values, ' or ') : undefined;
}

function describeOptions(allowed: readonly unknown[], sent: unknown): string {
  const values = quote(allowed, '|');
  return sent === undefined ? `is required: one of ${values}` : `Invalid option: expected one of ${values}`;
}

function quote(values: readonly unknown[], separator: string): string {
  return values.map((word) => JSON.stringify(word)).join(separator);
}

/** The fields that the object at `path` may have, and for which `type` if they depend on it. */
function describeAllowedFields(schema: unknown, path: Path, data: unknown): string {
  const objects = objectsAt(schema, path, data);
  const fields = new Set(objects.flatMap(({ shape }) => Object.keys(shape)));
  const [only, ...others] = objects;
  const type = others.length === 0 ? literalValues(only?.shape['type']) : undefined;
  return `allowed${type ? ` with type ${quote(type, ' or ')}` : ''}: ${[...fields].join(', ') || 'none'}`;
}

/** The object schemas that may be meant at `path`, looking through defaults, unions and the like. */
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
  if (!(schema instanceof z.ZodObject)) return [];
  const [key, ...rest] = path;
  return key === undefined ? [schema] : objectsAt(schema.shape[String(key)], rest, valueAt(data, [key]));
}

/** Of the alternatives those whose literal fields, as `type`, are what was sent, or left out and the default; or all. */
function matchingOptions(data: unknown, options: readonly unknown[]): readonly unknown[] {
  const meant = options.filter(
    (option) =>
      option instanceof z.ZodObject &&
      Object.entries(option.shape).some(([key, field]) => {
        const standsFor = field instanceof z.ZodDefault ? field.def.defaultValue : undefined;
        return literalValues(field)?.includes(valueAt(data, [key]) ?? standsFor);
      }),
  );
  return meant.length > 0 ? meant : options;
}

function literalValues(field: unknown): unknown[] | undefined {
  if (field instanceof z.ZodDefault) return literalValues(field.unwrap());
  return field instanceof z.ZodLiteral ? [...field.values] : undefined;
}

export function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null)?.[key], data);
}
