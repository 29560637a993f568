/** Slots for decoding and encoding images: sharp occupies the threads of libuv, which also read and write files. */
import { createWorkTimes } from '../domain/work-times.ts';
import { AtelierError } from '../errors.ts';

/** Work that fits within both takes at most about 20 ms. */
export const SMALL_WORK = { images: 64, pixels: 512 * 512 } as const;
/** Further requests are rejected: they would wait longer than their clients do. */
export const MAX_WAITING = { small: 512, large: 64 } as const;

export interface ImageSlots {
  /**
   * Runs `work` when a slot is free, in the order of the calls.
   * @param signal called only if the work must wait; an abort ends the waiting
   * @throws AtelierError `overloaded`; the reason of the signal
   */
  run<T>(work: () => Promise<T>, signal?: () => AbortSignal): Promise<T>;
}

/** @param maxWaiting further calls are rejected with `overloaded` */
export function createImageSlots(slots: number, maxWaiting: number): ImageSlots {
  let free = slots;
  const waiting = new Set<() => void>();
  const times = createWorkTimes();

  async function acquire(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      waiting.delete(resolve);
      reject(signal!.reason);
    };
    waiting.add(resolve);
    signal?.addEventListener('abort', leave);
    await promise;
    signal?.removeEventListener('abort', leave);
  }

  function release(): void {
    const [next] = waiting;
    if (next === undefined) {
      free++;
      return;
    }
    waiting.delete(next);
    next();
  }

  return {
    async run(work, signal) {
      if (free > 0) free--;
      else if (waiting.size < maxWaiting) await acquire(signal?.());
      else {
        const message = `${maxWaiting} requests already wait for their images to be decoded or encoded. Try again shortly.`;
        throw new AtelierError('overloaded', message, { retryAfterSeconds: times.secondsUntilNext() });
      }
      const startedAt = times.start();
      try {
        return await work();
      } finally {
        times.end(startedAt);
        release();
      }
    },
  };
}

// A large image occupies one of libuv's four threads. Small ones occupy the others for less than a millisecond each, so
// files hardly wait for them; with fewer slots, the threads would sleep and wake for every image.
const small = createImageSlots(16, MAX_WAITING.small);
const large = createImageSlots(1, MAX_WAITING.large);

/** The slots of this thread for work of the given size. */
export function imageSlots(images: number, pixels: number): ImageSlots {
  return images <= SMALL_WORK.images && pixels <= SMALL_WORK.pixels ? small : large;
}
