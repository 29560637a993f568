/** A training thread with its step threads. It runs training jobs, one at a time. */
import { startThread } from '../threads/start.ts';
import type { TrainingTasks } from './entry.worker.ts';
import type { TrainingTask, WorkerMessage } from './messages.ts';
import { type RunInThread, startRun } from './run.ts';
import { startStepThreads, stepChannels } from './step-threads.ts';

const ENTRY = new URL('./entry.worker.ts', import.meta.url);

/**
 * Limits of the JavaScript heap; typed arrays (of parameters and images) do not count. A thread above a limit
 * fails alone. With V8's default limits, or a larger young generation, it would end the whole process.
 */
const HEAP = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 };

export interface TrainingThread {
  /** Number of threads that its runs use, this one included. */
  readonly threads: number;
  /** Starts a run. Call it when the run before has ended. */
  run(task: Omit<TrainingTask, 'control'>, onMessage: (message: WorkerMessage) => Promise<void>): RunInThread;
  /** Whether the thread can have another run: it has neither crashed nor ended. */
  isUsable(): boolean;
  /** Ends the thread. Fulfils when it has exited. */
  end(): Promise<void>;
  /** Fulfils when the thread has exited, for whatever reason. */
  readonly exited: Promise<unknown>;
}

/**
 * @param options.entry the module that the thread runs
 * @param options.hangsAfterMs time without a heartbeat after which the thread is terminated as crashed
 */
export function startTrainingThread(
  threads: number,
  { entry = ENTRY, hangsAfterMs }: { entry?: URL; hangsAfterMs?: number } = {},
): TrainingThread {
  const channels = stepChannels(threads);
  const ports = channels.map(({ port1 }) => port1);
  const thread = startThread<TrainingTasks>(entry, 'The training thread', {
    workerData: ports,
    transferList: ports,
    resourceLimits: HEAP,
  });
  for (const stepThread of startStepThreads(channels)) {
    // A step needs all ranks, so the run cannot continue without one; and the others may be waiting in a kernel.
    void stepThread.exited.then(thread.terminate);
    void thread.exited.then(() => stepThread.terminate());
  }
  return {
    threads,
    run: (task, onMessage) => startRun(thread, task, onMessage, hangsAfterMs),
    isUsable: thread.isUsable,
    end: () => thread.terminate(),
    exited: thread.exited,
  };
}
