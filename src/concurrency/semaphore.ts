/** A counting semaphore: a fixed number of callers work at once; the others wait in the order of their calls. */
import { AtelierError } from '../errors.ts';
import { createWorkTimes } from './work-times.ts';

export interface Semaphore {
  /** Returns a permit if one is free. The disposal of a permit gives it to the next caller. */
  tryAcquire(): Disposable | undefined;
  /** @throws AtelierError `overloaded` if too many callers are waiting; the reason of the signal if it aborts */
  acquire(signal?: AbortSignal): Promise<Disposable>;
  /** Holds a permit while `work` runs. @throws as `acquire` and `work` */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/**
 * @param permits number of callers that work at the same time
 * @param maxWaiting limit of waiting callers
 * @param resource what they are waiting for, for the error message
 */
export function createSemaphore(
  permits: number,
  maxWaiting = Number.POSITIVE_INFINITY,
  resource = '',
): Semaphore {
  let free = permits;
  const waiting = new Set<() => void>();
  const times = createWorkTimes();

  function release(): void {
    const [next] = waiting;
    if (next === undefined) {
      free += 1;
      return;
    }
    waiting.delete(next);
    next();
  }

  function createPermit(): Disposable {
    const startedAt = times.start();
    return {
      [Symbol.dispose]() {
        times.end(startedAt);
        release();
      },
    };
  }

  function tryAcquire(): Disposable | undefined {
    if (free === 0) return undefined;
    free -= 1;
    return createPermit();
  }

  async function wait(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => {
      // A permit that was given just before the abort is used, and its work aborts.
      if (waiting.delete(resolve)) reject(signal!.reason);
    };
    waiting.add(resolve);
    signal?.addEventListener('abort', abort);
    await promise.finally(() => signal?.removeEventListener('abort', abort));
  }

  async function acquire(signal?: AbortSignal): Promise<Disposable> {
    signal?.throwIfAborted();
    const permit = tryAcquire();
    if (permit) return permit;
    if (waiting.size >= maxWaiting) {
      const message = `${maxWaiting} requests are already waiting for ${resource}. Try again shortly.`;
      throw new AtelierError('overloaded', message, { retryAfterSeconds: times.secondsUntilNext() });
    }
    await wait(signal);
    return createPermit();
  }

  return {
    tryAcquire,
    acquire,
    async run(work, signal) {
      using _permit = await acquire(signal);
      return await work();
    },
  };
}
