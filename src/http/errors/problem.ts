/** Errors on the wire: RFC 9457 problem details with our code, and what is wrong where. */
import { z } from 'zod';
import { type AtelierError, ERROR_CODES, type ErrorCode } from '../../errors.ts';

/** The only map from error code to status; 500 for what no request can cause. */
const STATUS: Readonly<Record<ErrorCode, readonly [status: number, title: string]>> = {
  'malformed-request': [400, 'What arrived is not HTTP'],
  'malformed-body': [400, 'The body could not be read'],
  'invalid-request': [400, 'The request does not match its schema'],
  'undecodable-image': [400, 'The picture could not be decoded'],
  unauthenticated: [401, 'No key, or a wrong one'],
  forbidden: [403, 'The key does not have the scope'],
  'route-not-found': [404, 'No such route'],
  'dataset-not-found': [404, 'No such data set'],
  'image-not-found': [404, 'No such image'],
  'training-job-not-found': [404, 'No such training job'],
  'model-not-found': [404, 'No such model'],
  'alias-not-found': [404, 'No such alias'],
  'checkpoint-not-found': [404, 'No such checkpoint'],
  'method-not-allowed': [405, 'The method is not allowed here'],
  'not-acceptable': [406, 'None of the accepted types can be answered'],
  'request-timeout': [408, 'The request took too long to arrive'],
  'illegal-transition': [409, 'The state does not allow this'],
  'version-in-use': [409, 'The version is in use'],
  'dataset-in-use': [409, 'The data set is in use'],
  'request-in-flight': [409, 'The first request with this key is not answered yet'],
  'body-too-large': [413, 'The body is too large'],
  'unsupported-media-type': [415, 'The content type is not supported'],
  'expectation-failed': [417, 'What is expected is not done here'],
  'invalid-pixels': [422, 'A pixel is out of range'],
  'invalid-image-size': [422, 'An image is not 28×28'],
  'ambiguous-pixel-range': [422, 'The range of the pixels is ambiguous'],
  'unknown-dataset': [422, 'No such data set'],
  'unknown-model': [422, 'No such model'],
  'invalid-model-file': [422, 'The model file cannot be imported'],
  'invalid-dataset-file': [422, 'The data set cannot be used'],
  'impossible-request': [422, 'This cannot be done'],
  'check-too-costly': [422, 'The gradient check would take too long'],
  'evaluation-too-costly': [422, 'The evaluation would take too long'],
  'idempotency-key-reused': [422, 'This key came with another request'],
  'headers-too-large': [431, 'The headers are too large'],
  'rate-limited': [429, 'Too many requests'],
  'queue-full': [429, 'The queue is full'],
  'loss-diverged': [500, 'The loss diverged'],
  'gradient-check-failed': [500, 'The gradient check before the training failed'],
  'kernel-differs': [500, 'The kernel does not compute what the reference does'],
  'worker-crashed': [500, 'A worker thread crashed'],
  'checkpoint-damaged': [500, 'A checkpoint is damaged'],
  'dataset-damaged': [500, 'A data set is damaged'],
  'internal-error': [500, 'Internal error'],
  'invalid-configuration': [500, 'Invalid configuration'],
  'invalid-dataset': [500, 'Invalid data set'],
  'state-locked': [500, 'The state is locked'],
  'state-unusable': [500, 'The state is unusable'],
  overloaded: [503, 'Too much work at once'],
  draining: [503, 'The service is shutting down'],
  'storage-full': [507, 'There is no space left'],
};

export function problemStatus(code: ErrorCode): number {
  return STATUS[code][0];
}

export function problemTitle(code: ErrorCode): string {
  return STATUS[code][1];
}

/** Of one problem; how many more there are is in its detail. */
export const MAX_ERRORS = 20;
/** A name that a client chose may be as long as its body. */
const MAX_CHARACTERS = { instance: 2000, detail: 4000, place: 200 };

const truncate = (text: string, length: number) =>
  text.length > length ? `${text.slice(0, length)}…` : text;

/** What a client is told of an error, in a length that it can read. */
export function toProblem(error: AtelierError, instance: string, requestId: string): Problem {
  const errors = error.details.slice(0, MAX_ERRORS).map((place) => {
    const detail = truncate(place.detail, MAX_CHARACTERS.place);
    if ('pointer' in place) return { pointer: truncate(place.pointer, MAX_CHARACTERS.place), detail };
    return { parameter: truncate(place.parameter, MAX_CHARACTERS.place), detail };
  });
  return {
    type: `urn:atelier:problem:${error.code}`,
    title: problemTitle(error.code),
    status: problemStatus(error.code),
    detail: truncate(error.message, MAX_CHARACTERS.detail),
    instance: truncate(instance, MAX_CHARACTERS.instance),
    code: error.code,
    requestId,
    ...(errors.length > 0 && { errors }),
  };
}

const located = { detail: z.string() };

export const problemSchema = z
  .object({
    type: z.string().describe('`urn:atelier:problem:` and the code'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What was wrong, what is allowed, what to do'),
    instance: z.string().describe('Path of the request'),
    code: z.enum(ERROR_CODES),
    requestId: z.string(),
    errors: z
      .array(
        z.union([
          z.object({ pointer: z.string(), ...located }),
          z.object({ parameter: z.string(), ...located }),
        ]),
      )
      .max(MAX_ERRORS)
      .optional()
      .describe('Where; `detail` says how many more there are'),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problemSchema>;

export const PROBLEM_TYPE = 'application/problem+json';

type ProblemResponse = { description: string; content: Record<string, { schema: typeof problemSchema }> };

/** Response schemas of the given error statuses, for a route's `schema.response`. */
export function problems<S extends number>(...statuses: S[]): Record<S, ProblemResponse> {
  const responses: Record<number, ProblemResponse> = {};
  for (const status of statuses) {
    const titles = Object.values(STATUS).flatMap(([s, title]) => (s === status ? [title] : []));
    responses[status] = {
      description: [...new Set(titles)].join('; '),
      content: { [PROBLEM_TYPE]: { schema: problemSchema } },
    };
  }
  return responses;
}
