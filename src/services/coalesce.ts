/** Coalescing cache: concurrent requests for one result share its computation, and recent results are kept. */
import { LRUCache } from 'lru-cache';

/**
 * @param key everything that the result depends on
 * @param signal of the caller; the work continues while another caller waits for it
 * @param compute its signal aborts when no caller waits any more
 */
export type Coalesce<T> = (
  key: string,
  signal: AbortSignal,
  compute: (signal: AbortSignal) => Promise<T>,
) => Promise<T>;

interface Work<T> {
  waiting: number;
  readonly unwanted: AbortController;
  readonly answer: Promise<T>;
}

/** @param max number of results that are kept; the least recently used one is evicted first */
export function createCoalescingCache<T extends object>(max: number): Coalesce<T> {
  const kept = new LRUCache<string, T>({ max });
  const inWork = new Map<string, Work<T>>();

  function forget(key: string, work: Work<T>): boolean {
    return inWork.get(key) === work && inWork.delete(key);
  }

  function begin(key: string, compute: (signal: AbortSignal) => Promise<T>): Work<T> {
    const unwanted = new AbortController();
    const answer = compute(unwanted.signal)
      .then((computed) => {
        kept.set(key, computed);
        return computed;
      })
      .finally(() => forget(key, work));
    const work: Work<T> = { waiting: 0, unwanted, answer };
    inWork.set(key, work);
    return work;
  }

  return async (key, signal, compute) => {
    const known = kept.get(key);
    if (known) return known;
    signal.throwIfAborted();
    const work = inWork.get(key) ?? begin(key, compute);
    work.waiting++;
    const left = Promise.withResolvers<never>();
    const leave = () => left.reject(signal.reason);
    signal.addEventListener('abort', leave);
    try {
      return await Promise.race([work.answer, left.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
      // Removed before it is aborted, so that a later caller does not join aborted work.
      if (--work.waiting === 0 && forget(key, work)) work.unwanted.abort(signal.reason);
    }
  };
}
