/** Thread of one training job. A crash or hang is reported as a `failed` message. */
import { Worker } from 'node:worker_threads';
import { messageWithoutPaths } from '../errors.ts';
import { parameterCount } from '../numerics/network.ts';
import { createMessageQueue } from './message-queue.ts';
import { CONTROL, type ShareMessage, type TrainingTask, type WorkerMessage } from './messages.ts';
import { startStepThreads } from './step-threads.ts';

const ENTRY = new URL('./training.worker.ts', import.meta.url);
/** A thread that has not stopped after this time is terminated. Most steps take milliseconds. */
const STOP_GRACE_MS = 5000;
/** How often the heartbeat is checked within the hang timeout. */
const HEARTBEAT_CHECKS = 10;
/** Far above the duration of any step, even on a shared machine. */
const MIN_HANG_MS = 120_000;
const MIN_MULTIPLY_ADDS_PER_MS = 500_000;

/**
 * Limits of the JavaScript heap; typed arrays, which hold parameters and images, do not count. A thread above a limit
 * fails alone. With V8's default limits, or a larger young generation, it would end the whole process.
 */
const HEAP = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 };

export interface TrainingThread {
  /** Signals the thread to stop before its next step, and terminates it if it does not. */
  stop(): void;
  /** Fulfils when the thread has ended and every message has been handled. Rejects if handling one fails. */
  readonly ended: Promise<void>;
}

/**
 * @param onMessage called in order, one at a time, with exactly one final message (`completed`, `stopped`, `failed`)
 * @param options.entry the module that the thread runs
 * @param options.hangsAfterMs time without a heartbeat after which the thread is terminated as crashed
 */
export function startTrainingThread(
  task: Omit<TrainingTask, 'control'>,
  onMessage: (message: WorkerMessage) => Promise<void>,
  { entry = ENTRY, hangsAfterMs: hangTimeoutMs = hangTimeout(task.plan) } = {},
): TrainingThread {
  const control = new Int32Array(new SharedArrayBuffer(4 * Object.keys(CONTROL).length));
  const workerData: TrainingTask = { ...task, control };
  const worker = new Worker(entry, { workerData, resourceLimits: HEAP });
  const messages = createMessageQueue(onMessage, () => worker.terminate());
  let final = false;
  let step = 0;
  let killTimer: NodeJS.Timeout | undefined;
  let helpers: Worker[] = [];

  const handle = (message: WorkerMessage) => {
    if (final) return;
    final = message.kind === 'completed' || message.kind === 'stopped' || message.kind === 'failed';
    messages.add(message);
  };
  const failAsCrashed = (reason: string) =>
    handle({ kind: 'failed', error: { code: 'worker-crashed', message: reason, details: [] }, step });

  function handleCheckpoint(message: WorkerMessage): void {
    handle(message);
    const stored = () => Atomics.store(control, CONTROL.checkpointPending, 0);
    messages.handled().then(stored, stored);
  }

  /** Terminates a thread whose heartbeat has stopped. */
  function startHeartbeatCheck(): NodeJS.Timeout {
    let [last, idleChecks] = [-1, 0];
    return setInterval(() => {
      const heartbeat = Atomics.load(control, CONTROL.heartbeat);
      idleChecks = heartbeat === last ? idleChecks + 1 : 0;
      last = heartbeat;
      if (idleChecks < HEARTBEAT_CHECKS) return;
      failAsCrashed(
        `The training thread hung: it did nothing for ${Math.round(hangTimeoutMs / 1000)} seconds.`,
      );
      worker.terminate();
    }, hangTimeoutMs / HEARTBEAT_CHECKS).unref();
  }
  const heartbeatCheck = startHeartbeatCheck();

  const ended = new Promise<void>((resolve, reject) => {
    worker.on('message', (message: WorkerMessage | ShareMessage) => {
      if ('progress' in message) step = message.progress.step;
      else if ('step' in message) step = message.step;
      if (message.kind === 'checkpoint') return handleCheckpoint(message);
      if (message.kind !== 'share') return handle(message);
      // Started from the main thread, because the training thread is blocked until they have started.
      helpers = startStepThreads(message.share, task.threads, (reason) => {
        failAsCrashed(`Another thread of the training job crashed: ${reason}.`);
        worker.terminate();
      });
    });
    worker.on('error', (error) =>
      failAsCrashed(`The training thread crashed: ${messageWithoutPaths(error)}.`),
    );
    worker.on('exit', (code) => {
      clearTimeout(killTimer);
      clearInterval(heartbeatCheck);
      for (const helper of helpers) helper.terminate();
      if (Atomics.load(control, CONTROL.stop) !== 0)
        handle({ kind: 'stopped', step, isPlanned: false, checkpoint: null });
      failAsCrashed(`The training thread exited with code ${code} before its job had ended.`);
      messages.handled().then(resolve, reject);
    });
  });
  return {
    stop() {
      Atomics.store(control, CONTROL.stop, 1);
      killTimer ??= setTimeout(() => worker.terminate(), STOP_GRACE_MS);
    },
    ended,
  };
}

/** A step of a large network takes seconds, and its gradient check takes longer. */
function hangTimeout({ layerSizes, batchSize }: TrainingTask['plan']): number {
  const multiplyAdds = parameterCount(layerSizes) * batchSize * 3;
  return MIN_HANG_MS + multiplyAdds / MIN_MULTIPLY_ADDS_PER_MS;
}
