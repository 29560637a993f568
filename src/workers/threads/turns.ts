/** Turns: lets a fixed number of callers work at once; the others wait in order. */
import { createWorkTimes } from '../../domain/work-times.ts';
import { AtelierError } from '../../errors.ts';

/**
 * @returns resolves when it is the caller's turn, which ends with the disposal
 * @throws AtelierError `overloaded` if too many callers wait; the reason of the signal if it aborts
 */
export type TakeTurn = (signal?: AbortSignal) => Promise<Disposable>;

/**
 * @param atOnce number of callers that work at the same time
 * @param maxWaiting limit of waiting callers
 */
export function createTurns(atOnce: number, maxWaiting: number): TakeTurn {
  const waiting = new Set<() => void>();
  const times = createWorkTimes();
  let free = atOnce;

  function endTurn(): void {
    free++;
    for (const next of waiting) {
      waiting.delete(next);
      free--;
      next();
      return;
    }
  }

  async function wait(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => {
      // A turn that was given just before the abort is used, and its work aborts.
      if (waiting.delete(resolve)) reject(signal!.reason);
    };
    waiting.add(resolve);
    signal?.addEventListener('abort', abort);
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  return async (signal) => {
    signal?.throwIfAborted();
    if (free > 0) free--;
    else if (waiting.size < maxWaiting) await wait(signal);
    else {
      const message = `${maxWaiting} requests of this kind are already waiting. Try again shortly.`;
      throw new AtelierError('overloaded', message, { retryAfterSeconds: times.secondsUntilNext() });
    }
    const startedAt = times.start();
    return {
      [Symbol.dispose]() {
        times.end(startedAt);
        endTurn();
      },
    };
  };
}
