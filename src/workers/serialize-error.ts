/** Errors across the thread boundary. */
import { AtelierError, type ErrorCode } from '../errors.ts';
import type { Outcome, SerializedError } from './messages.ts';

/** @param fallbackCode the code of what is not an AtelierError: a defect of ours, or a thread out of memory */
export function serializeError(error: unknown, fallbackCode: ErrorCode = 'internal-error'): SerializedError {
  if (error instanceof AtelierError)
    return { code: error.code, message: error.message, details: error.details };
  return { code: fallbackCode, message: error instanceof Error ? error.message : String(error), details: [] };
}

/** Runs in the thread: a refusal becomes an answer; only a defect is left to throw. */
export async function toOutcome<T>(compute: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await compute() };
  } catch (error) {
    if (!(error instanceof AtelierError)) throw error;
    return { ok: false, error: serializeError(error) };
  }
}

/** Runs where the answer arrives. */
export function fromOutcome<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  const { code, message, details } = outcome.error;
  throw new AtelierError(code, message, { details });
}
