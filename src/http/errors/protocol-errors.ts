/** Errors of other protocols, in the shape that their clients look for. */
import { z } from 'zod';
import { PROBLEM_TYPE, type Problem, problemSchema, problems, problemTitle } from './problem.ts';

export const protocolErrorSchema = z.object({ error: z.string() }).meta({ id: 'ProtocolError' });
export const mlflowErrorSchema = z
  .object({ error_code: z.string(), message: z.string() })
  .meta({ id: 'MlflowError' });

interface ErrorShape {
  readonly type: string;
  /** Of the schema, in the contract. */
  readonly name: string;
  readonly schema: z.ZodType;
  readonly toStatus: (problem: Problem) => number;
  readonly toBody: (problem: Problem) => object;
}

interface ErrorResponse {
  readonly description: string;
  readonly content: Record<string, { readonly schema: z.ZodType }>;
}

/** These protocols know no 422. */
const withoutUnprocessable = ({ status }: Problem) => (status === 422 ? 400 : status);

/** MLflow's names for them; there are no more where it has none. */
const MLFLOW_CODES: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'RESOURCE_DOES_NOT_EXIST',
  429: 'REQUEST_LIMIT_EXCEEDED',
  500: 'INTERNAL_ERROR',
  503: 'TEMPORARILY_UNAVAILABLE',
};

const NATIVE: ErrorShape = {
  type: PROBLEM_TYPE,
  name: 'Problem',
  schema: problemSchema,
  toStatus: ({ status }) => status,
  toBody: (problem) => problem,
};
const PROTOCOL: ErrorShape = {
  type: 'application/json',
  name: 'ProtocolError',
  schema: protocolErrorSchema,
  toStatus: withoutUnprocessable,
  toBody: ({ detail }) => ({ error: detail }),
};
const MLFLOW: ErrorShape = {
  type: 'application/json',
  name: 'MlflowError',
  schema: mlflowErrorSchema,
  toStatus: withoutUnprocessable,
  toBody: (problem) => ({
    error_code: MLFLOW_CODES[withoutUnprocessable(problem)] ?? 'BAD_REQUEST',
    message: problem.detail,
  }),
};

/** What is not HTTP has no path: it gets a problem, whatever it was meant for. */
const NOT_HTTP = `${problemTitle('malformed-request')}; `;

/** @param url of a request, a route or an operation */
export function findErrorShape(url: string): ErrorShape {
  const path = url.split('?')[0]!;
  // The Open Inference Protocol; TensorFlow Serving's verbs, behind a colon, or one that is encoded; that of a
  // parameter in a route begins its segment.
  if (/^\/v2(\/|$)/.test(path) || /^\/v1\/models\/.*[^/](:|%3a)[a-z]+$/i.test(path)) return PROTOCOL;
  return /^\/(ping|version|invocations)$/.test(path) ? MLFLOW : NATIVE;
}

/** Response schemas of the given error statuses, for the `schema.response` of a route at that path. */
export function protocolErrors<S extends number>(path: string, ...statuses: S[]): Record<S, ErrorResponse> {
  const { type, schema } = findErrorShape(path);
  const known: Record<number, { description: string }> = problems(...statuses);
  const responses: Record<number, ErrorResponse> = {};
  for (const status of statuses) {
    const description = known[status]!.description.replace(NOT_HTTP, '');
    responses[status] = { description, content: { [type]: { schema } } };
  }
  return responses;
}
