/**
 * The training threads of this process. A thread is kept for the next job: its start takes longer than many a trial of a
 * search.
 */
import { trainingThreadBytes } from '../../numerics/training/memory.ts';
import type { RunInThread } from './run.ts';
import { startTrainingThread, type TrainingThread } from './thread.ts';

/** Time after which a thread that got no other task ends. The next trial of a search follows within a second. */
const IDLE_MS = 5_000;

export type TrainingThreads = ReturnType<typeof createTrainingThreads>;

/** @param options.start starts a thread; replaced by tests */
export function createTrainingThreads({
  idleMs = IDLE_MS,
  start = startTrainingThread,
}: {
  idleMs?: number;
  start?: (threads: number) => TrainingThread;
} = {}) {
  /** With the timers that end them, the longest idle first. */
  const idle = new Map<TrainingThread, NodeJS.Timeout>();

  function remove(thread: TrainingThread): void {
    clearTimeout(idle.get(thread));
    idle.delete(thread);
  }

  function end(thread: TrainingThread): Promise<void> {
    remove(thread);
    return thread.end();
  }

  function keep(thread: TrainingThread): void {
    idle.set(
      thread,
      setTimeout(() => end(thread), idleMs),
    );
    thread.exited.then(() => remove(thread));
  }

  /** Every task needs a slot, so that the idle and the busy threads together are never more than the slots. */
  function take(threads: number): TrainingThread {
    const suits = (thread: TrainingThread) => thread.threads === threads && thread.isUsable();
    const kept = [...idle.keys()].findLast(suits);
    if (kept) {
      remove(kept);
      return kept;
    }
    const [replaced] = idle.keys();
    if (replaced) void end(replaced);
    return start(threads);
  }

  return {
    /** Runs a task. `ended` fulfils when its thread is idle or has exited. */
    run(...[task, onMessage]: Parameters<TrainingThread['run']>): RunInThread {
      const thread = take(task.threads);
      const { stop, ended } = thread.run(task, onMessage);
      return {
        stop,
        ended: ended.finally(async () => {
          if (thread.isUsable()) keep(thread);
          else await thread.end();
        }),
      };
    },
    /** Memory of the idle threads. */
    bytes: () => [...idle.keys()].reduce((sum, { threads }) => sum + trainingThreadBytes(threads), 0),
    /** Ends idle threads until `bytes` are free or none is left. */
    evict(bytes: number): void {
      let missing = bytes;
      for (const thread of idle.keys()) {
        if (missing <= 0) return;
        missing -= trainingThreadBytes(thread.threads);
        void end(thread);
      }
    },
    /** Ends the idle threads. Call it when no task runs. */
    async close(): Promise<void> {
      await Promise.all([...idle.keys()].map(end));
    },
  };
}
