/** Error formats: problems for the native protocol, and the formats of the other protocols. */
import { z } from 'zod';
import { PROBLEM_TYPE, type Problem, problemSchema, problems, problemTitle } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Default: problems. */
    errorFormat?: ErrorFormat;
  }
}

export const protocolErrorSchema = z.object({ error: z.string() }).meta({ id: 'ProtocolError' });
export const mlflowErrorSchema = z
  .object({ error_code: z.string(), message: z.string() })
  .meta({ id: 'MlflowError' });

export interface ErrorFormat {
  readonly type: string;
  /** Component id of the schema in the OpenAPI document. */
  readonly name: string;
  readonly schema: z.ZodType;
  readonly toStatus: (problem: Problem) => number;
  readonly toBody: (problem: Problem) => object;
}

interface ErrorResponse {
  readonly description: string;
  readonly content: Record<string, { readonly schema: z.ZodType }>;
}

/** The other protocols do not define 422. */
const withoutUnprocessable = ({ status }: Problem) => (status === 422 ? 400 : status);

/** MLflow's own error codes; all other statuses are BAD_REQUEST. */
const MLFLOW_CODES: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'RESOURCE_DOES_NOT_EXIST',
  429: 'REQUEST_LIMIT_EXCEEDED',
  500: 'INTERNAL_ERROR',
  503: 'TEMPORARILY_UNAVAILABLE',
};

export const PROBLEM_ERRORS: ErrorFormat = {
  type: PROBLEM_TYPE,
  name: 'Problem',
  schema: problemSchema,
  toStatus: ({ status }) => status,
  toBody: (problem) => problem,
};
/** KServe v2 and TensorFlow Serving. */
export const PROTOCOL_ERRORS: ErrorFormat = {
  type: 'application/json',
  name: 'ProtocolError',
  schema: protocolErrorSchema,
  toStatus: withoutUnprocessable,
  toBody: ({ detail }) => ({ error: detail }),
};
export const MLFLOW_ERRORS: ErrorFormat = {
  type: 'application/json',
  name: 'MlflowError',
  schema: mlflowErrorSchema,
  toStatus: withoutUnprocessable,
  toBody: (problem) => ({
    error_code: MLFLOW_CODES[withoutUnprocessable(problem)] ?? 'BAD_REQUEST',
    message: problem.detail,
  }),
};

/**
 * The verb after a colon at the end of a path below /v1/models, as in `…/name:predict`. The colon may be
 * percent-encoded. No native path has one, because names have no colon.
 */
export function readVerb(path: string): string | undefined {
  return /^\/v1\/models\/.*(?::|%3a)([a-z]+)$/i.exec(path)?.[1];
}

/** A verb without a name in front of it, which no protocol has. */
const NAMELESS = /\/(?::|%3a)[a-z]+$/i;

/** Error format of a request without a route. Routes declare their format as `config.errorFormat`. */
export function errorFormatForUrl(url: string): ErrorFormat {
  const path = url.split('?')[0]!;
  if (/^\/v2(\/|$)/.test(path) || (readVerb(path) !== undefined && !NAMELESS.test(path)))
    return PROTOCOL_ERRORS;
  // TensorFlow Serving's own resources.
  if (/^\/v1\/models\/(.+\/metadata|[^/]+\/labels\/[^/]+)$/.test(path)) return PROTOCOL_ERRORS;
  return /^\/(ping|health|version|invocations)$/.test(path) ? MLFLOW_ERRORS : PROBLEM_ERRORS;
}

/** Omitted from descriptions: the error of a request that is not HTTP is always a problem, as it has no path. */
const NOT_HTTP = `${problemTitle('malformed-request')}; `;

/** Response schemas of error statuses in the given format, for a route's `schema.response`. */
export function protocolErrors<S extends number>(
  { type, schema }: ErrorFormat,
  ...statuses: S[]
): Record<S, ErrorResponse> {
  const asProblems: Record<number, { description: string }> = problems(...statuses);
  const responses: Record<number, ErrorResponse> = {};
  for (const status of statuses) {
    const description = asProblems[status]!.description.replace(NOT_HTTP, '');
    responses[status] = { description, content: { [type]: { schema } } };
  }
  return responses;
}
