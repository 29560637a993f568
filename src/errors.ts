/** Error codes and the error class. `http/errors/problem.ts` maps the codes to HTTP statuses. */

export const ERROR_CODES = [
  // the request is malformed or invalid
  'malformed-request',
  'headers-too-large',
  'range-not-satisfiable',
  'expectation-failed',
  'request-timeout',
  'malformed-body',
  'invalid-request',
  'invalid-pixels',
  'invalid-image-size',
  'undecodable-image',
  'ambiguous-pixel-range',
  'precondition-failed',
  'body-too-large',
  'unsupported-media-type',
  'not-acceptable',
  'idempotency-key-reused',
  'request-in-flight',
  // the caller lacks permission, or exceeds the rate limit
  'unauthenticated',
  'forbidden',
  'host-not-allowed',
  'cross-site-request',
  'keys-required',
  'rate-limited',
  // the resource does not exist
  'route-not-found',
  'method-not-allowed',
  'dataset-not-found',
  'image-not-found',
  'training-job-not-found',
  'prediction-job-not-found',
  'search-not-found',
  'model-not-found',
  'alias-not-found',
  'checkpoint-not-found',
  'events-deleted',
  'unknown-dataset',
  'unknown-model',
  // the request cannot be carried out
  'invalid-model-file',
  'invalid-dataset-file',
  'invalid-gradient-file',
  'impossible-request',
  'webhook-not-allowed',
  'check-too-costly',
  'evaluation-too-costly',
  'path-too-costly',
  'illegal-transition',
  'version-in-use',
  'not-calibrated',
  'training-job-in-use',
  'dataset-in-use',
  // the state of the service does not allow it
  'queue-full',
  'starting',
  'draining',
  'worker-replica',
  'overloaded',
  'storage-unavailable',
  'storage-full',
  'internal-error',
  // another run has taken over the job; clients never get this code
  'lease-lost',
  // the job failed
  'loss-diverged',
  'search-failed',
  'gradient-check-failed',
  'kernel-differs',
  'worker-crashed',
  'checkpoint-damaged',
  'dataset-damaged',
  // the service does not start
  'invalid-configuration',
  'invalid-dataset',
  'state-locked',
  'state-unusable',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** The location of an error: a JSON pointer into the body, or the name of a parameter or header. */
export type ErrorDetail =
  | { readonly pointer: string; readonly detail: string }
  | { readonly parameter: string; readonly detail: string };

/** Maximum number of errors that a problem lists; its `detail` counts the rest. */
export const MAX_ERRORS = 20;

/** The message states what is wrong, what is allowed, and what to do. */
export class AtelierError extends Error {
  readonly code: ErrorCode;
  readonly details: readonly ErrorDetail[];
  /** Estimated time until a retry can succeed, if known. */
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

export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): boolean {
  return error instanceof AtelierError && codes.includes(error.code);
}

const OUT_OF_FILES = /\bE[MN]FILE\b|too many open files/i;
/** Codes of errors that report a system error in their message. Messages with other codes may contain names that clients chose. */
const OF_SYSTEM: readonly unknown[] = [
  'internal-error',
  'worker-crashed',
  'state-unusable',
  'dataset-damaged',
] satisfies ErrorCode[];

/**
 * Whether the process or the system can open no more files. An error that comes from a thread has lost its cause, but has
 * its message.
 */
export function isOutOfFiles(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, message, cause } = error as Readonly<Record<string, unknown>>;
  if (code === 'EMFILE' || code === 'ENFILE') return true;
  return (OF_SYSTEM.includes(code) && OUT_OF_FILES.test(String(message))) || isOutOfFiles(cause);
}

/** An absolute path or file URL, quoted or not. A slash within a word, as in `n/a`, is not one. */
const PATH = /(['"])(?:file:\/\/)?\/.*?\1|(?:file:\/\/|(?<![\w/#]))\/[^\s'",;]+/g;

/** The message of an unexpected error for clients, without paths: those of system errors contain them. */
export function messageWithoutPaths(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(PATH, '[path]');
}
