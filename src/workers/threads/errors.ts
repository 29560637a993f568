/** Errors as they cross the thread boundary. Imports no pool, because training threads use it. */
import { AtelierError, type ErrorCode, messageWithoutPaths } from '../../errors.ts';
import type { SerializedError } from '../messages/shapes.ts';

/** @param fallbackCode code of any other error than an AtelierError: a defect, or a thread out of memory */
export function serializeError(error: unknown, fallbackCode: ErrorCode = 'internal-error'): SerializedError {
  if (error instanceof AtelierError)
    return { code: error.code, message: error.message, details: error.details };
  return { code: fallbackCode, message: messageWithoutPaths(error), details: [] };
}
