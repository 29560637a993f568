/** A thread that runs training tasks, one at a time. */
import { MessageChannel, Worker } from 'node:worker_threads';
import { messageWithoutPaths } from '../../errors.ts';
import type { TrainingTask, WorkerMessage } from '../messages/shapes.ts';
import { STOP_GRACE_MS, type SupervisedTask, superviseTask } from './run.ts';
import { startStepThreads } from './step-threads.ts';

const ENTRY = new URL('./entry.worker.ts', import.meta.url);

/**
 * Limits of the JavaScript heap; typed arrays, which hold parameters and images, do not count. A thread above a limit
 * fails alone. With V8's default limits, or a larger young generation, it would end the whole process.
 */
const HEAP = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 };

export interface TrainingThread {
  /** Number of threads that its tasks use, this one included. */
  readonly threads: number;
  /**
   * Call it when the task before has ended.
   * @param onMessage called in order, one at a time, with exactly one final message (`completed`, `stopped`, `failed`);
   *   a crash or hang is `failed`
   */
  run(
    task: Omit<TrainingTask, 'control'>,
    onMessage: (message: WorkerMessage) => Promise<void>,
  ): Pick<SupervisedTask, 'stop' | 'ended'>;
  /** Whether the thread can run another task: it has neither crashed nor ended. */
  isUsable(): boolean;
  /** Ends the thread, which runs no task. Fulfils when it has exited. */
  end(): Promise<void>;
  /** Fulfils when the thread has exited, for whatever reason. */
  readonly exited: Promise<void>;
}

/**
 * @param options.entry the module that the thread runs
 * @param options.hangsAfterMs time without a heartbeat after which the thread is terminated as crashed
 */
export function startTrainingThread(
  threads: number,
  { entry = ENTRY, hangsAfterMs }: { entry?: URL; hangsAfterMs?: number } = {},
): TrainingThread {
  const channels = Array.from({ length: threads - 1 }, () => new MessageChannel());
  const ports = channels.map(({ port1 }) => port1);
  const worker = new Worker(entry, { workerData: ports, transferList: ports, resourceLimits: HEAP });
  let task: SupervisedTask | undefined;
  let isUsable = true;

  function failAsCrashed(reason: string): void {
    isUsable = false;
    task?.failAsCrashed(reason);
  }
  function terminate(): void {
    isUsable = false;
    worker.terminate();
  }
  const stepThreads = startStepThreads(
    channels.map(({ port2 }) => port2),
    (reason) => {
      failAsCrashed(`Another thread of the training job crashed: ${reason}.`);
      terminate();
    },
  );

  const exited = new Promise<void>((resolve) => {
    worker.on('message', (message: WorkerMessage) => {
      // A defect may have left anything behind.
      if (message.kind === 'failed' && message.error.code === 'worker-crashed') isUsable = false;
      task?.handle(message);
    });
    worker.on('error', (error) =>
      failAsCrashed(`The training thread crashed: ${messageWithoutPaths(error)}.`),
    );
    worker.on('exit', (code) => {
      isUsable = false;
      // They may wait in a kernel.
      for (const thread of stepThreads) thread.terminate();
      task?.threadExited(code);
      resolve();
    });
  });
  return {
    threads,
    run(next, onMessage) {
      task = superviseTask(next, onMessage, { terminate, hangsAfterMs });
      const forget = () => {
        task = undefined;
      };
      task.ended.then(forget, forget);
      worker.postMessage({ ...next, control: task.control } satisfies TrainingTask);
      return task;
    },
    isUsable: () => isUsable,
    async end() {
      isUsable = false;
      worker.postMessage(null);
      const killTimer = setTimeout(terminate, STOP_GRACE_MS);
      await exited;
      clearTimeout(killTimer);
    },
    exited,
  };
}
