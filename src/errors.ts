/** Everything that can go wrong in a way that a caller can act on. Knows no HTTP: `http/errors/error-handler.ts` maps it. */

export const ERROR_CODES = [
  // what was sent
  'malformed-request',
  'headers-too-large',
  'expectation-failed',
  'request-timeout',
  'malformed-body',
  'invalid-request',
  'invalid-pixels',
  'invalid-image-size',
  'undecodable-image',
  'ambiguous-pixel-range',
  'body-too-large',
  'unsupported-media-type',
  'not-acceptable',
  'idempotency-key-reused',
  'request-in-flight',
  // who sent it, and how often
  'unauthenticated',
  'forbidden',
  'rate-limited',
  // what it refers to
  'route-not-found',
  'method-not-allowed',
  'dataset-not-found',
  'image-not-found',
  'training-job-not-found',
  'model-not-found',
  'alias-not-found',
  'checkpoint-not-found',
  'unknown-dataset',
  'unknown-model',
  // what it asks for
  'invalid-model-file',
  'invalid-dataset-file',
  'impossible-request',
  'check-too-costly',
  'evaluation-too-costly',
  'illegal-transition',
  'version-in-use',
  'dataset-in-use',
  // the service's own state
  'queue-full',
  'draining',
  'overloaded',
  'storage-full',
  'internal-error',
  // why a job failed
  'loss-diverged',
  'gradient-check-failed',
  'kernel-differs',
  'worker-crashed',
  'checkpoint-damaged',
  'dataset-damaged',
  // why the service does not start
  'invalid-configuration',
  'invalid-dataset',
  'state-locked',
  'state-unusable',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** Where in the request it is wrong: a JSON pointer into the body, or the name of a parameter or header. */
export type ErrorDetail =
  | { readonly pointer: string; readonly detail: string }
  | { readonly parameter: string; readonly detail: string };

/** The message says what happened, to what, what is allowed, and what to do. */
export class AtelierError extends Error {
  readonly code: ErrorCode;
  readonly details: readonly ErrorDetail[];
  /** When it is worth trying again, where that is known. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: ErrorOptions & { details?: readonly ErrorDetail[]; retryAfterSeconds?: number } = {},
  ) {
    super(message, options);
    this.name = 'AtelierError';
    this.code = code;
    this.details = options.details ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
