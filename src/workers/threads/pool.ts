/** Thread pools. A thread runs one task at a time. If it crashes, it is replaced. */
import { Piscina } from 'piscina';
import { createSemaphore } from '../../concurrency/semaphore.ts';
import { AtelierError, messageWithoutPaths } from '../../errors.ts';
import type { TaskMap } from '../messages/by-pool.ts';
import type { Outcome } from '../messages/shapes.ts';
import { fromOutcome } from './outcome.ts';

/** Limit of waiting tasks per pool: a further one would wait longer than its client does. */
export const MAX_QUEUED = 64;

export interface Pool<Tasks extends TaskMap<Tasks>> {
  /**
   * @param signal terminates the thread that runs the task, so that a disconnected client does not occupy it
   * @param transfer buffers that are moved to the thread
   * @param admit called when a thread is free; reserves what the task takes until it ends, or throws
   * @throws AtelierError the error of the task, `overloaded`, or `worker-crashed`; `signal.reason` if it aborts
   */
  run<Name extends keyof Tasks & string>(
    name: Name,
    task: Tasks[Name]['task'],
    signal?: AbortSignal,
    transfer?: readonly ArrayBuffer[],
    admit?: () => Disposable | undefined,
  ): Promise<Tasks[Name]['result']>;
  close(): Promise<void>;
}

/**
 * @param entry the module that the threads run; it exports `Handlers<Tasks>`
 * @param threads largest number of threads
 * @param onRestart called when a crashed thread is replaced
 * @param idle threads that are kept, with their memory, when there is no work, and the time until the others end
 */
export function createPool<Tasks extends TaskMap<Tasks>>(
  entry: URL,
  threads: number,
  onRestart = () => {},
  idle: { readonly threads?: number; readonly ms?: number } = {},
): Pool<Tasks> {
  const piscina = new Piscina({
    filename: entry.href,
    minThreads: idle.threads ?? threads,
    idleTimeout: idle.ms ?? 0,
    maxThreads: threads,
    // A thread blocked in Atomics.wait would not notice an abort or a close.
    atomics: 'disabled',
    // Makes Piscina import its entry: Node aborts the process if a thread is terminated while it requires a module.
    execArgv: ['--no-experimental-require-module'],
  });
  // Piscina's own queue holds tasks only while their thread starts: a task must not reserve anything before one is free.
  const semaphore = createSemaphore(threads, MAX_QUEUED, 'a thread of this kind');
  let lostThread = new AbortController();
  // Piscina would keep the task of a thread that ends while it starts until another task arrives.
  const failLost = () => {
    if (piscina.queueSize === 0) return;
    lostThread.abort();
    lostThread = new AbortController();
  };
  // Only then the thread no longer counts as one that will take the task.
  piscina.on('workerDestroy', () => queueMicrotask(failLost));
  return {
    async run(name, task, signal, transfer = [], admit = () => undefined) {
      using _turn = await semaphore.acquire(signal);
      using _admission = admit();
      const lost = lostThread.signal;
      const ended = signal ? AbortSignal.any([signal, lost]) : lost;
      let outcome: Outcome<Tasks[typeof name]['result']>;
      try {
        outcome = await piscina.run(task, { name, transferList: [...transfer], signal: ended });
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        onRestart();
        const reason = lost.aborted ? 'it ended while it was starting' : messageWithoutPaths(error);
        throw new AtelierError('worker-crashed', `The thread of this request crashed: ${reason}.`, {
          cause: error,
        });
      }
      return fromOutcome(outcome);
    },
    close: () => piscina.destroy(),
  };
}
