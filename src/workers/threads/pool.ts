/** A pool of threads. They start when needed, end without work, and are replaced if lost. */
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

export interface SizedPool<T extends Tasks> extends Pool<T> {
  /** Number of tasks that run at the same time. */
  readonly size: number;
}

/** A place for a thread. */
interface Seat<T extends Tasks> {
  thread?: Thread<T>;
  idle?: NodeJS.Timeout;
}

/**
 * @param entry the module that the threads run; it calls `serve`
 * @param onLost called when a thread is lost
 * @param idleMs time without work after which a thread ends and frees its memory
 */
export function createPool<T extends Tasks>(
  entry: URL,
  onLost: () => void,
  idleMs: number,
  size = 1,
): SizedPool<T> {
  const semaphore = createSemaphore(size, MAX_QUEUED, 'a thread of this kind');
  const seats = Array.from({ length: size }, (): Seat<T> => ({}));
  /** The last one was used last: it has a thread, if any has, and what the thread keeps from its last task. */
  const free = [...seats];

  async function end({ thread, idle }: Seat<T>): Promise<void> {
    clearTimeout(idle);
    await thread?.terminate();
  }

  return {
    size,
    async run(name, task, signal, transfer, admit) {
      using _permit = await semaphore.acquire(signal);
      signal?.throwIfAborted();
      using _admission = admit?.();
      const seat = free.pop()!;
      clearTimeout(seat.idle);
      try {
        if (!seat.thread?.isUsable()) seat.thread = startThread(entry, 'The thread of this request');
        const result: Result<T, typeof name> = await seat.thread.call(name, task, { signal, transfer });
        return result;
      } catch (error) {
        if (hasCode(error, 'worker-crashed')) onLost();
        throw error;
      } finally {
        seat.idle = setTimeout(end, idleMs, seat).unref();
        free.push(seat);
      }
    },
    close: async () => void (await Promise.all(seats.map(end))),
  };
}
