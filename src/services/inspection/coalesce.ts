/** Coalescing cache: concurrent requests share one computation; recent results are kept. */
import { LRUCache } from 'lru-cache';

/**
 * @param key everything that the result depends on
 * @param signal the caller's signal; the work continues while another caller is waiting for it
 * @param compute computes the result; its signal aborts when no caller is waiting any longer
 * @throws the reason of `signal` once it aborts, or the error of `compute`; errors are not kept
 */
export interface Coalesce<T> {
  (key: string, signal: AbortSignal, compute: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Whether the result is kept. */
  has(key: string): boolean;
}

interface Work<T> {
  waiting: number;
  readonly abortController: AbortController;
  readonly result: Promise<T>;
}

/** @param kept number of results that are kept, 0 for none, or the cache that keeps them */
export function createCoalescingCache<T extends object>(kept: number | LRUCache<string, T>): Coalesce<T> {
  const results =
    kept === 0 ? undefined : typeof kept === 'number' ? new LRUCache<string, T>({ max: kept }) : kept;
  const inFlight = new Map<string, Work<T>>();

  function removeWork(key: string, work: Work<T>): boolean {
    return inFlight.get(key) === work && inFlight.delete(key);
  }

  function startWork(key: string, compute: (signal: AbortSignal) => Promise<T>): Work<T> {
    const abortController = new AbortController();
    const result = compute(abortController.signal)
      .then((computed) => {
        results?.set(key, computed);
        return computed;
      })
      .finally(() => removeWork(key, work));
    const work: Work<T> = { waiting: 0, abortController, result };
    inFlight.set(key, work);
    return work;
  }

  async function coalesce(...[key, signal, compute]: Parameters<Coalesce<T>>): Promise<T> {
    const cached = results?.get(key);
    if (cached) return cached;
    signal.throwIfAborted();
    const work = inFlight.get(key) ?? startWork(key, compute);
    work.waiting++;
    const aborted = Promise.withResolvers<never>();
    const unsubscribe = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', unsubscribe);
    try {
      return await Promise.race([work.result, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', unsubscribe);
      // Removed before it is aborted, so that a later caller does not join aborted work.
      if (--work.waiting === 0 && removeWork(key, work)) work.abortController.abort(signal.reason);
    }
  }

  return Object.assign(coalesce, { has: (key: string) => results?.has(key) ?? false });
}
