/** Answers that several ask for are computed once, and the last ones kept. */
import { LRUCache } from 'lru-cache';

/**
 * @param key of all that the answer depends on
 * @param signal of whoever asks; the work goes on while anyone waits for it
 * @param compute is told by its signal that nobody does any more
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

/** @param max number of answers that are kept; the one that nobody asked for the longest time goes first */
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
      // Whoever asks from now on finds no work that is about to be given up.
      if (--work.waiting === 0 && forget(key, work)) work.unwanted.abort(signal.reason);
    }
  };
}
