/** Validation by zod, with one error that lists every invalid location and what is allowed. */
import type { FastifySchemaCompiler, FastifyServerOptions } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { describeIssue, parse, valueAt, withoutImplied } from '../../domain/messages/describe-issue.ts';
import { toSentence } from '../../domain/messages/issue-message.ts';
import { jsonPointer } from '../../domain/messages/json-pointer.ts';
import { AtelierError, type ErrorDetail, MAX_ERRORS } from '../../errors.ts';
import { collectRecords, recordNames } from './query-records.ts';

type Issue = z.core.$ZodIssue;

const PARTS: Readonly<Record<string, string>> = {
  body: 'The body is invalid.',
  querystring: 'The query is invalid.',
  params: 'The path is invalid.',
  headers: 'The headers are invalid.',
};

/**
 * An option of the server, because without it Fastify takes 30 ms to load Ajv and fast-json-stringify. Its type
 * allows only these two.
 */
export const ZOD_COMPILERS = {
  buildValidator: () => validatorCompiler,
  buildSerializer: () => serializerCompiler,
} as unknown as NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>;

export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  // Most requests have no query, so its result is computed once.
  const emptyQuery = httpPart === 'querystring' ? parse(schema, {}) : undefined;
  const records = httpPart === 'querystring' ? recordNames(schema) : [];
  return (sent: unknown) => {
    if (emptyQuery?.success && isEmpty(sent)) return { value: emptyQuery.data };
    const data = records.length > 0 ? collectRecords(sent as Record<string, unknown>, records) : sent;
    const result = parse(schema, data);
    if (result.success) return { value: result.data };
    if (httpPart === 'body' && (data === null || data === undefined)) return { error: missingBody() };
    return { error: toError(result.error.issues, schema, data, httpPart ?? 'params') };
  };
};

/**
 * Parses a body that Fastify does not validate, such as the fields of a form.
 * @throws AtelierError `invalid-request`, with a pointer to each invalid field
 */
export function parseBody<T extends z.ZodType>(schema: T, data: unknown): z.infer<T> {
  const result = parse(schema, data);
  if (result.success) return result.data;
  throw toError(result.error.issues, schema, data, 'body');
}

function toError(issues: readonly Issue[], schema: z.ZodType, data: unknown, part: string): AtelierError {
  const details = withoutImplied(issues)
    .flatMap((issue) => {
      const isRepeated = part === 'querystring' && Array.isArray(valueAt(data, issue.path));
      if (isRepeated) return [{ path: issue.path, detail: 'is given more than once' }];
      return describeIssue(issue, schema, data, part === 'body' ? 'field' : 'parameter');
    })
    .map(({ path, detail: text }): ErrorDetail => {
      const detail = toSentence(text);
      return part === 'body'
        ? { pointer: jsonPointer(path), detail }
        : { parameter: path.map(String).join('.'), detail };
    });
  const lines = details.slice(0, MAX_ERRORS).map((each) => {
    const location = 'pointer' in each ? each.pointer : each.parameter;
    return location === '#' ? each.detail : `${location}: ${each.detail}`;
  });
  if (details.length > MAX_ERRORS) {
    lines.push(`… and ${(details.length - MAX_ERRORS).toLocaleString('en')} more.`);
  }
  return new AtelierError('invalid-request', `${PARTS[part]} ${lines.join(' ')}`, { details });
}

/** Fastify does not distinguish a missing body from `null`. No route accepts `null`. */
function missingBody(): AtelierError {
  const detail =
    'The body must be a JSON object, but is missing or null. Send one with Content-Type: application/json.';
  return new AtelierError('invalid-request', detail, { details: [{ pointer: '#', detail }] });
}

function isEmpty(data: unknown): boolean {
  for (const _ in data as object) return false;
  return true;
}
