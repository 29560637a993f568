/** Zod as Fastify's validator, with an error that names every place, what is wrong there, and what is allowed. */
import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import { AtelierError, type ErrorDetail } from '../../errors.ts';
import { MAX_ERRORS } from '../errors/problem.ts';
import { describeIssue, valueAt } from './describe-issue.ts';

type Issue = z.core.$ZodIssue;

const PARTS: Readonly<Record<string, string>> = {
  body: 'The body does',
  querystring: 'The query does',
  params: 'The path does',
  headers: 'The headers do',
};

/** RFC 6901, as a URI fragment. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return `#${path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`;
}

/** Of a query: what is given once is text. */
function describeRepeated(issue: Issue, data: unknown): string | undefined {
  return Array.isArray(valueAt(data, issue.path)) ? 'is given more than once' : undefined;
}

export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  // Most requests have no query, and what none means is always the same.
  const emptyQuery = httpPart === 'querystring' ? schema.safeParse({}) : undefined;
  return (data: unknown) => {
    if (emptyQuery?.success && isEmpty(data)) return { value: emptyQuery.data };
    const result = schema.safeParse(data);
    if (result.success) return { value: result.data };
    if (httpPart === 'body' && (data === null || data === undefined)) return { error: missingBody() };
    const described = result.error.issues.flatMap((issue) => {
      const repeatedDetail = httpPart === 'querystring' && describeRepeated(issue, data);
      return repeatedDetail
        ? [{ path: issue.path, detail: repeatedDetail }]
        : describeIssue(issue, schema, data);
    });
    const details = described.map(({ path, detail }): ErrorDetail => {
      return httpPart === 'body'
        ? { pointer: jsonPointer(path), detail }
        : { parameter: path.map(String).join('.'), detail };
    });
    const lines = details
      .slice(0, MAX_ERRORS)
      .map((d) => `${'pointer' in d ? d.pointer : d.parameter}: ${d.detail}`);
    if (details.length > MAX_ERRORS)
      lines.push(`… and ${(details.length - MAX_ERRORS).toLocaleString('en')} more`);
    const part = PARTS[httpPart ?? 'params'];
    return {
      error: new AtelierError('invalid-request', `${part} not fit. ${lines.join('. ')}`, { details }),
    };
  };
};

/** Fastify does not tell it from `null`, which no route takes. */
function missingBody(): AtelierError {
  const detail = 'A JSON body is missing. Send one, with Content-Type: application/json';
  return new AtelierError('invalid-request', `${detail}.`, { details: [{ pointer: '#', detail }] });
}

function isEmpty(data: unknown): boolean {
  for (const _ in data as object) return false;
  return true;
}
