/** Slots for decoding and encoding images: sharp occupies threads that also access files. */
import { createSemaphore, type Semaphore } from '../concurrency/semaphore.ts';

/** Work that fits within both takes at most about 20 ms. */
export const SMALL_WORK = { images: 64, pixels: 512 * 512 } as const;
/** Further requests are rejected: they would wait longer than their clients do. */
export const MAX_WAITING = { small: 512, large: 64 } as const;

const RESOURCE = 'their images to be decoded or encoded';
// A large image occupies one of libuv's four threads. Small ones occupy the others for less than a millisecond each, so
// files hardly wait for them; with fewer slots, the threads would sleep and wake for every image.
const small = createSemaphore(16, MAX_WAITING.small, RESOURCE);
const large = createSemaphore(1, MAX_WAITING.large, RESOURCE);

/** The slots of this thread for work of the given size. */
export function imageSlots(images: number, pixels: number): Semaphore {
  return images <= SMALL_WORK.images && pixels <= SMALL_WORK.pixels ? small : large;
}
