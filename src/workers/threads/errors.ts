/** Errors as they cross a thread boundary. */
import { AtelierError, type ErrorCode, type ErrorDetail, messageWithoutPaths } from '../../errors.ts';

/** An error as plain data, because a structured clone would lose its class and code. */
export interface SerializedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: readonly ErrorDetail[];
}

/** Any other error than an AtelierError becomes `internal-error`. */
export function serializeError(error: unknown): SerializedError {
  if (error instanceof AtelierError) {
    const { code, message, details } = error;
    return { code, message, details };
  }
  return { code: 'internal-error', message: messageWithoutPaths(error), details: [] };
}

export function deserializeError({ code, message, details }: SerializedError): AtelierError {
  return new AtelierError(code, message, { details });
}
