/** Work that is done in passes, one at a time, and that may fail as long as the database is away. */
import { AsyncLocalStorage } from 'node:async_hooks';

/** @param onFailure called with the first of successive failures */
export function createPasses(work: () => Promise<void>, onFailure: (error: unknown) => void) {
  // The work must not run in the async context (the request id) of a caller.
  const runDetached = AsyncLocalStorage.snapshot();
  let running: Promise<void> | undefined;
  let isRequested = false;
  let isFailing = false;
  let isClosed = false;

  async function run(): Promise<void> {
    while (isRequested && !isClosed) {
      isRequested = false;
      try {
        await work();
        isFailing = false;
      } catch (error) {
        if (!isFailing) onFailure(error);
        isFailing = true;
      }
    }
    running = undefined;
  }

  return {
    /** Starts a pass: now, or after the current one. */
    request() {
      if (isClosed) return;
      isRequested = true;
      running ??= runDetached(run);
    },
    /** Starts no further pass; resolves when the current one has ended. */
    async close() {
      isClosed = true;
      await running;
    },
  };
}
