/** Problems: RFC 9457 error responses with an error code and the location of each error. */

import { z } from 'zod';
import { toSentence } from '../../domain/messages/issue-message.ts';
import { type AtelierError, ERROR_CODES, type ErrorCode, MAX_ERRORS } from '../../errors.ts';

/** Status and title of each error code. Codes that occur only in jobs or at startup have 500. */
const PROBLEMS: Readonly<Record<ErrorCode, readonly [status: number, title: string]>> = {
  'malformed-request': [400, 'The request is not valid HTTP'],
  'malformed-body': [400, 'The body could not be read'],
  'invalid-request': [400, 'The request does not match its schema'],
  'undecodable-image': [400, 'The image could not be decoded'],
  unauthenticated: [401, 'Missing, unknown or expired API key'],
  forbidden: [403, 'The API key lacks the required scope'],
  'host-not-allowed': [403, 'The Host header is not allowed'],
  'cross-site-request': [403, 'A page of another origin sent the request'],
  'keys-required': [403, 'API keys are required behind a proxy'],
  'route-not-found': [404, 'Route not found'],
  'dataset-not-found': [404, 'Data set not found'],
  'image-not-found': [404, 'Image not found'],
  'training-job-not-found': [404, 'Training job not found'],
  'prediction-job-not-found': [404, 'Prediction job not found'],
  'search-not-found': [404, 'Search not found'],
  'model-not-found': [404, 'Model not found'],
  'alias-not-found': [404, 'Alias not found'],
  'checkpoint-not-found': [404, 'Checkpoint not found'],
  'method-not-allowed': [405, 'Method not allowed'],
  'not-acceptable': [406, 'None of the accepted types is available'],
  'request-timeout': [408, 'The request took too long to arrive'],
  'illegal-transition': [409, 'The current status does not allow this'],
  'version-in-use': [409, 'The version is in use'],
  'not-calibrated': [409, 'The version has no calibration'],
  'training-job-in-use': [409, 'The training job is in use'],
  'dataset-in-use': [409, 'The data set is in use'],
  'request-in-flight': [409, 'The first request with this key is still in progress'],
  'events-deleted': [410, 'The events were deleted'],
  'precondition-failed': [412, 'The resource has changed'],
  'body-too-large': [413, 'The body is too large'],
  'unsupported-media-type': [415, 'The content type is not supported'],
  'range-not-satisfiable': [416, 'The range is beyond the end of the file'],
  'expectation-failed': [417, 'Unsupported Expect header'],
  'invalid-pixels': [422, 'A pixel is out of range'],
  'invalid-image-size': [422, 'An image has the wrong shape'],
  'ambiguous-pixel-range': [422, 'The range of the pixels is ambiguous'],
  'unknown-dataset': [422, 'The data set does not exist'],
  'unknown-model': [422, 'The model does not exist'],
  'invalid-model-file': [422, 'The model file cannot be imported'],
  'invalid-dataset-file': [422, 'The data set file is invalid'],
  'invalid-gradient-file': [422, 'The gradient file does not fit the network'],
  'impossible-request': [422, 'Conflicting options'],
  'webhook-not-allowed': [422, 'The origin of the webhook is not allowed'],
  'check-too-costly': [422, 'The gradient check would take too long'],
  'evaluation-too-costly': [422, 'The evaluation would take too long'],
  'path-too-costly': [422, 'The path would take too long'],
  'idempotency-key-reused': [422, 'The idempotency key was used for another request'],
  'headers-too-large': [431, 'The headers are too large'],
  'rate-limited': [429, 'Too many requests'],
  'queue-full': [429, 'The queue is full'],
  'loss-diverged': [500, 'The loss diverged'],
  'search-failed': [500, 'The search failed'],
  'gradient-check-failed': [500, 'The gradient check before the training failed'],
  'kernel-differs': [500, 'The kernel does not match the reference'],
  'worker-crashed': [500, 'A worker thread crashed'],
  'checkpoint-damaged': [500, 'A checkpoint is damaged'],
  'dataset-damaged': [500, 'A data set is damaged'],
  'lease-lost': [500, 'Another run has taken over the job'],
  'internal-error': [500, 'Internal error'],
  'invalid-configuration': [500, 'Invalid configuration'],
  'invalid-dataset': [500, 'Invalid data set'],
  'state-locked': [500, 'The state directory is locked'],
  'state-unusable': [500, 'The state directory is unusable'],
  overloaded: [503, 'The service is overloaded'],
  starting: [503, 'The service is starting'],
  draining: [503, 'The service is shutting down'],
  'worker-replica': [503, 'The replica only trains'],
  'storage-unavailable': [503, 'The database does not answer'],
  'storage-full': [507, 'The storage is full'],
};

export function problemStatus(code: ErrorCode): number {
  return PROBLEMS[code][0];
}

export function problemTitle(code: ErrorCode): string {
  return PROBLEMS[code][1];
}

/** Longer texts are cut, because a name in a request may be as long as its body. */
export const MAX_PROBLEM_CHARS = { instance: 2000, detail: 4000, errorDetail: 400 };

const truncate = (text: string, length: number) =>
  text.length > length ? `${text.slice(0, length)}…` : text;

/** Renders an error as a problem of readable length. */
export function toProblem(
  error: AtelierError,
  instance: string,
  requestId: string,
  traceparent?: string,
): Problem {
  const errors = error.details.slice(0, MAX_ERRORS).map((each) => {
    const detail = truncate(toSentence(each.detail), MAX_PROBLEM_CHARS.errorDetail);
    if ('pointer' in each) return { pointer: truncate(each.pointer, MAX_PROBLEM_CHARS.errorDetail), detail };
    return { parameter: truncate(each.parameter, MAX_PROBLEM_CHARS.errorDetail), detail };
  });
  return {
    type: `urn:atelier:problem:${error.code}`,
    title: problemTitle(error.code),
    status: problemStatus(error.code),
    detail: truncate(error.message, MAX_PROBLEM_CHARS.detail),
    instance: truncate(instance, MAX_PROBLEM_CHARS.instance),
    code: error.code,
    requestId,
    ...(traceparent !== undefined && { traceparent }),
    ...(errors.length > 0 && { errors }),
  };
}

const located = { detail: z.string() };

export const problemSchema = z
  .object({
    type: z.string().describe('`urn:atelier:problem:` followed by the code'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What is wrong, what is allowed, what to do'),
    instance: z.string().describe('Path of the request'),
    code: z.enum(ERROR_CODES),
    requestId: z.string(),
    traceparent: z.string().optional().describe('`traceparent` of the request, if it sent a valid one'),
    errors: z
      .array(
        z.union([
          z.object({ pointer: z.string(), ...located }),
          z.object({ parameter: z.string(), ...located }),
        ]),
      )
      .max(MAX_ERRORS)
      .optional()
      .describe('Location of each error; `detail` counts those left out'),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problemSchema>;

export const PROBLEM_TYPE = 'application/problem+json';

type ProblemResponse = { description: string; content: Record<string, { schema: typeof problemSchema }> };

/** Response schemas of error statuses, for a route's `schema.response`. */
export function problems<S extends number>(...statuses: S[]): Record<S, ProblemResponse> {
  const responses: Record<number, ProblemResponse> = {};
  for (const status of statuses) {
    const titles = Object.values(PROBLEMS).flatMap(([s, title]) => (s === status ? [title] : []));
    responses[status] = {
      description: [...new Set(titles)].join('; '),
      content: { [PROBLEM_TYPE]: { schema: problemSchema } },
    };
  }
  return responses;
}
