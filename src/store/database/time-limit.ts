/** Limit of the time to wait for the database. */
import { AtelierError } from '../../errors.ts';

/**
 * Waits for work that may hang while the database is away; the work itself goes on.
 * @throws AtelierError `storage-unavailable` after the time, and the errors of the work
 */
export async function limitTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const message = `The database did not answer within ${milliseconds} ms. Try again shortly.`;
  const timer = setTimeout(() => reject(new AtelierError('storage-unavailable', message)), milliseconds);
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
