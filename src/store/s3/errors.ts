/** Errors of an S3-compatible object store, with advice. */
import { AtelierError } from '../../errors.ts';

const RETRY_AFTER_SECONDS = 5;

/** Error codes that only the operator can cure. */
const ADVICE: Readonly<Record<string, string>> = {
  AccessDenied: 'Allow the key of AWS_ACCESS_KEY_ID to get, put, list and delete objects of the bucket.',
  AuthorizationHeaderMalformed: 'Set the region of the bucket in BLOB_URL.',
  ExpiredToken: 'AWS_SESSION_TOKEN has expired. Set new credentials.',
  InvalidAccessKeyId: 'Check AWS_ACCESS_KEY_ID.',
  InvalidToken: 'Check AWS_SESSION_TOKEN.',
  NoSuchBucket: 'Create the bucket, or correct its name in BLOB_URL.',
  PermanentRedirect: 'Set the region of the bucket in BLOB_URL.',
  RequestTimeTooSkewed: 'Correct the clock of this machine.',
  SignatureDoesNotMatch: 'Check AWS_SECRET_ACCESS_KEY.',
};

const INSUFFICIENT_STORAGE = 507;

/** An error response of the object store. */
export class S3Error extends Error {
  readonly status: number;
  /** Such as `NoSuchKey`; the status if the response has no code. */
  readonly code: string;

  constructor(status: number, body: string) {
    const code = readElement(body, 'Code') ?? `status ${status}`;
    super(code);
    this.name = 'S3Error';
    this.status = status;
    this.code = code;
  }
}

/** Whether the same request may succeed later: network errors, overload, and failures of the server. */
export function isTransient(error: unknown): boolean {
  if (error instanceof AtelierError) return false;
  if (!(error instanceof S3Error)) return true;
  if (error.status === INSUFFICIENT_STORAGE) return false;
  return error.status >= 500 || error.status === 429 || error.code === 'RequestTimeout';
}

/** @returns `storage-unavailable`, or `storage-full`; an AtelierError is returned unchanged */
export function toStorageError(error: unknown): AtelierError {
  if (error instanceof AtelierError) return error;
  if (error instanceof S3Error && error.status === INSUFFICIENT_STORAGE) {
    return new AtelierError(
      'storage-full',
      'The object store of BLOB_URL is full. Free some space there, then try again.',
      {
        cause: error,
      },
    );
  }
  const advice =
    (error instanceof S3Error && ADVICE[error.code]) ||
    'Try again shortly. If it lasts, check the object store and BLOB_URL.';
  return new AtelierError(
    'storage-unavailable',
    `The object store of BLOB_URL cannot be used (${describe(error)}). ${advice}`,
    { cause: error, retryAfterSeconds: RETRY_AFTER_SECONDS },
  );
}

/** The code of an error of the network, or its message without an address. */
function describe(error: unknown): string {
  if (error instanceof S3Error) return error.code;
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return error instanceof Error && error.name === 'TimeoutError'
    ? 'no response in time'
    : 'the connection failed';
}

/** The text of the first element with this name. The values that are read contain no entities. */
export function readElement(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}
