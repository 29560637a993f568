/** Results and errors of a task as they cross the thread boundary. */
import { AtelierError } from '../../errors.ts';
import { collectLargeGarbage } from '../../tuning/collect-garbage.ts';
import type { Outcome } from '../messages/shapes.ts';
import { serializeError } from './errors.ts';
import { transferResult } from './transfer.ts';

/**
 * Runs in the thread. An AtelierError becomes part of the outcome; any other error is a defect and is thrown.
 * @param transferred returns the views of the value whose memory is moved instead of copied
 */
export async function toOutcome<T>(
  compute: () => T | Promise<T>,
  transferred?: (value: T) => readonly ArrayBufferView[],
): Promise<Outcome<T>> {
  try {
    const value = await compute();
    const outcome: Outcome<T> = { ok: true, value };
    return transferred ? transferResult(outcome, transferred(value)) : outcome;
  } catch (error) {
    if (!(error instanceof AtelierError)) throw error;
    return { ok: false, error: serializeError(error) };
  } finally {
    collectLargeGarbage();
  }
}

/**
 * Runs on the main thread.
 * @throws AtelierError the error of the thread
 */
export function fromOutcome<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  const { code, message, details } = outcome.error;
  throw new AtelierError(code, message, { details });
}
