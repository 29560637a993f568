/** A pool of one thread. It starts when needed, ends without work, and is replaced if lost. */
import { createSemaphore } from '../../concurrency/semaphore.ts';
import { hasCode } from '../../errors.ts';
import { type Result, startThread, type Task, type Tasks, type Thread } from './start.ts';

/** Limit of waiting tasks per pool: a further one would wait longer than its client does. */
export const MAX_QUEUED = 64;

export interface Pool<T extends Tasks> {
  /**
   * @param signal terminates the thread that runs the task, so that a disconnected client does not occupy it
   * @param transfer views whose memory is moved to the thread
   * @param admit called when the thread is free; reserves what the task takes until it ends, or throws
   * @throws AtelierError the error of the task, `overloaded`, or `worker-crashed`; `signal.reason` if it aborts
   */
  run<Name extends keyof T & string>(
    name: Name,
    task: Task<T, Name>,
    signal?: AbortSignal,
    transfer?: readonly ArrayBufferView[],
    admit?: () => Disposable,
  ): Promise<Result<T, Name>>;
  close(): Promise<void>;
}

/**
 * @param entry the module that the thread runs; it calls `serve`
 * @param onLost called when the thread is lost
 * @param idleMs time without work after which the thread ends and frees its memory
 */
export function createPool<T extends Tasks>(entry: URL, onLost: () => void, idleMs: number): Pool<T> {
  const semaphore = createSemaphore(1, MAX_QUEUED, 'a thread of this kind');
  let thread: Thread<T> | undefined;
  let idle: NodeJS.Timeout | undefined;

  async function end(): Promise<void> {
    clearTimeout(idle);
    await thread?.terminate();
  }

  return {
    async run(name, task, signal, transfer, admit) {
      using _permit = await semaphore.acquire(signal);
      signal?.throwIfAborted();
      using _admission = admit?.();
      clearTimeout(idle);
      if (!thread?.isUsable()) thread = startThread(entry, 'The thread of this request');
      try {
        const result: Result<T, typeof name> = await thread.call(name, task, { signal, transfer });
        return result;
      } catch (error) {
        if (hasCode(error, 'worker-crashed')) onLost();
        throw error;
      } finally {
        idle = setTimeout(end, idleMs).unref();
      }
    },
    close: end,
  };
}
