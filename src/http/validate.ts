/** Zod as Fastify's validator, with an error that names every place, what is wrong there, and what is allowed. */
import type { FastifySchemaCompiler } from 'fastify';
import { z } from 'zod';
import { AtelierError, type ErrorDetail } from '../errors.ts';
import { MAX_ERRORS } from './schemas/problem.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

const PARTS: Readonly<Record<string, string>> = {
  body: 'The body does',
  querystring: 'The query does',
  params: 'The path does',
  headers: 'The headers do',
};

/** RFC 6901, as a URI fragment. */
export function jsonPointer(path: Path): string {
  return `#${path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`;
}

/** Of the alternatives those whose literal fields, as `type`, are what was sent; all where none is. */
function meantBy(data: unknown, options: readonly unknown[]): readonly unknown[] {
  const sent = data as Record<string, unknown> | null | undefined;
  const meant = options.filter(
    (option) =>
      option instanceof z.ZodObject &&
      Object.entries(option.shape).some(([key, field]) => literalOf(field)?.includes(sent?.[key] as string)),
  );
  return meant.length > 0 ? meant : options;
}

function literalOf(field: unknown): unknown[] | undefined {
  if (field instanceof z.ZodDefault) return literalOf(field.unwrap());
  return field instanceof z.ZodLiteral ? [...field.values] : undefined;
}

/** The names of the fields of the object schema at `path`, looking through defaults, unions and the like. */
function fieldsAt(schema: unknown, path: Path, data: unknown): string[] {
  if (schema instanceof z.ZodUnion) {
    return meantBy(data, schema.options).flatMap((option) => fieldsAt(option, path, data));
  }
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable
  ) {
    return fieldsAt(schema.unwrap(), path, data);
  }
  if (!(schema instanceof z.ZodObject)) return [];
  const [key, ...rest] = path;
  return key === undefined
    ? Object.keys(schema.shape)
    : fieldsAt(schema.shape[String(key)], rest, valueAt(data, [key]));
}

function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null)?.[key], data);
}

function describe(issue: Issue, schema: unknown, data: unknown): { path: Path; detail: string }[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const allowed = [...new Set(fieldsAt(schema, path, data))].join(', ') || 'none';
    return issue.keys.map((key) => ({ path: [...path, key], detail: `Unknown field; allowed: ${allowed}` }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The alternative that fits at the top and fails deeper is the one that was meant.
    const meant = issue.errors.find((issues) => issues.every((inner) => inner.path.length > 0));
    if (meant)
      return meant.flatMap((inner) => describe({ ...inner, path: [...path, ...inner.path] }, schema, data));
    return [{ path, detail: issue.errors.map((issues) => issues[0]!.message).join(', or ') }];
  }
  if (issue.code === 'invalid_key') {
    return [{ path, detail: `Invalid key: ${issue.issues.map(({ message }) => message).join(', ')}` }];
  }
  return [{ path, detail: issue.message }];
}

/** Of a query: what is given once is text. */
function repeated(issue: Issue, data: unknown): string | undefined {
  return Array.isArray(valueAt(data, issue.path)) ? 'is given more than once' : undefined;
}

export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  // Most requests have no query, and what none means is always the same.
  const none = httpPart === 'querystring' ? schema.safeParse({}) : undefined;
  return (data: unknown) => {
    if (none?.success && isEmpty(data)) return { value: none.data };
    const result = schema.safeParse(data);
    if (result.success) return { value: result.data };
    if (httpPart === 'body' && (data === null || data === undefined)) return { error: noBody() };
    const found = result.error.issues.flatMap((issue) => {
      const twice = httpPart === 'querystring' && repeated(issue, data);
      return twice ? [{ path: issue.path, detail: twice }] : describe(issue, schema, data);
    });
    const details = found.map(({ path, detail }): ErrorDetail => {
      return httpPart === 'body'
        ? { pointer: jsonPointer(path), detail }
        : { parameter: path.map(String).join('.'), detail };
    });
    const places = details
      .slice(0, MAX_ERRORS)
      .map((d) => `${'pointer' in d ? d.pointer : d.parameter}: ${d.detail}`);
    if (details.length > MAX_ERRORS)
      places.push(`… and ${(details.length - MAX_ERRORS).toLocaleString('en')} more`);
    const part = PARTS[httpPart ?? 'params'];
    return {
      error: new AtelierError('invalid-request', `${part} not fit. ${places.join('. ')}`, { details }),
    };
  };
};

/** Fastify does not tell it from `null`, which no route takes. */
function noBody(): AtelierError {
  const detail = 'A JSON body is missing. Send one, with Content-Type: application/json';
  return new AtelierError('invalid-request', `${detail}.`, { details: [{ pointer: '#', detail }] });
}

function isEmpty(data: unknown): boolean {
  for (const _ in data as object) return false;
  return true;
}
