/** Mutual exclusion of asynchronous work. */

export interface Mutex {
  /** Waits for all earlier holders. Resolves to the function that releases the mutex. */
  acquire(): Promise<() => void>;
}

export function createMutex(): Mutex {
  let released = Promise.resolve();
  return {
    acquire() {
      const { promise, resolve } = Promise.withResolvers<void>();
      const turn = released.then(() => resolve);
      released = promise;
      return turn;
    },
  };
}
