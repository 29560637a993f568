/** Threads that answer one request after another. A thread that crashes is replaced, and its request fails by name. */
import { Piscina } from 'piscina';
import { AtelierError } from '../errors.ts';
import type { Outcome } from './messages.ts';
import { fromOutcome } from './serialize-error.ts';

/** Waiting requests per pool; more would wait longer than a client does. */
const MAX_QUEUED = 64;

export interface Pool<Task, Value> {
  /**
   * @param transfer memory that the thread is given for good
   * @param signal ends the thread that works on the task: a client that hangs up must not hold it
   * @throws AtelierError what the thread refused, `overloaded`, or `worker-crashed`
   */
  run(task: Task, signal?: AbortSignal, transfer?: readonly ArrayBuffer[]): Promise<Value>;
  /** Tasks of another kind, which another export of the entry answers: the same threads, and one line before them. */
  tasks<OtherTask, OtherValue>(entryExport: string): Pool<OtherTask, OtherValue>;
  close(): Promise<void>;
}

/**
 * @param entry the module that the threads run; its default export takes a task and answers an Outcome
 * @param onRestart a thread crashed, and another one takes its place
 * @param idleThreads how many stay when there is nothing to do, with what memory they took
 */
export function createPool<Task, Value>(
  entry: URL,
  threads: number,
  onRestart = () => {},
  idleThreads = threads,
): Pool<Task, Value> {
  const piscina = new Piscina({
    filename: entry.href,
    minThreads: idleThreads,
    maxThreads: threads,
    maxQueue: MAX_QUEUED,
    // A thread that waits in Atomics.wait would not see an abort or a close.
    atomics: 'disabled',
    // Makes Piscina import its entry: Node aborts the whole process when a thread is ended while it requires a module.
    execArgv: ['--no-experimental-require-module'],
  });
  return poolOf<Task, Value>(piscina, 'default', onRestart);
}

function poolOf<Task, Value>(
  piscina: Piscina,
  entryExport: string,
  onRestart: () => void,
): Pool<Task, Value> {
  return {
    async run(task, signal, transfer = []) {
      if (piscina.queueSize >= MAX_QUEUED) {
        throw new AtelierError(
          'overloaded',
          `${MAX_QUEUED} requests of this kind already wait. Try again shortly.`,
        );
      }
      let outcome: Outcome<Value>;
      try {
        outcome = await piscina.run(task, {
          name: entryExport,
          transferList: [...transfer],
          signal: signal ?? null,
        });
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        onRestart();
        const reason = error instanceof Error ? error.message : String(error);
        throw new AtelierError('worker-crashed', `The thread that worked on the request crashed: ${reason}`, {
          cause: error,
        });
      }
      return fromOutcome(outcome);
    },
    tasks: (other) => poolOf(piscina, other, onRestart),
    close: () => piscina.destroy(),
  };
}
