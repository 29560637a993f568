/** Mutual exclusion of asynchronous work. */

export interface Mutex {
  /** Waits for all earlier holders. Resolves to the function that releases the mutex. */
  acquire(): Promise<() => void>;
  /** Waits for all earlier holders, and holds the mutex while `work` runs. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

export function createMutex(): Mutex {
  let released = Promise.resolve();
  function acquire(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const turn = released.then(() => resolve);
    released = promise;
    return turn;
  }
  return {
    acquire,
    async run(work) {
      const release = await acquire();
      try {
        return await work();
      } finally {
        release();
      }
    },
  };
}
