/** One thread for one training job: a crash of the thread becomes a message like any other. */
import { Worker } from 'node:worker_threads';
import type { ShareMessage, TrainingMessage, TrainingTask } from './messages.ts';
import { startStepThreads } from './step-threads.ts';

const ENTRY = new URL('./training.worker.ts', import.meta.url);
/** A step takes milliseconds; a thread that has not stopped by then hangs. */
const STOP_GRACE_MS = 5000;

export interface TrainingThread {
  /** Asks the thread to stop before its next step; it is ended if it does not. */
  stop(): void;
  /** Fulfils when the thread has ended and every message has been handled. Rejects if handling one fails. */
  readonly ended: Promise<void>;
}

/**
 * @param onMessage called in order, one at a time, with exactly one final message (`completed`, `stopped`, `failed`)
 * @param entry the module that the thread runs
 */
export function startTrainingThread(
  task: Omit<TrainingTask, 'stop'>,
  onMessage: (message: TrainingMessage) => Promise<void>,
  entry = ENTRY,
): TrainingThread {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(entry, { workerData: { ...task, stop } satisfies TrainingTask });
  let handled = Promise.resolve();
  let final = false;
  let step = 0;
  let killer: NodeJS.Timeout | undefined;
  let helpers: Worker[] = [];

  const handle = (message: TrainingMessage) => {
    if (final) return;
    final = message.kind === 'completed' || message.kind === 'stopped' || message.kind === 'failed';
    handled = handled.then(() => onMessage(message));
    handled.catch(() => worker.terminate());
  };
  const crashed = (reason: string) =>
    handle({ kind: 'failed', error: { code: 'worker-crashed', message: reason, details: [] }, step });

  const ended = new Promise<void>((resolve, reject) => {
    worker.on('message', (message: TrainingMessage | ShareMessage) => {
      if ('progress' in message) step = message.progress.step;
      else if ('step' in message) step = message.step;
      if (message.kind !== 'share') return handle(message);
      // Started here, because the thread that says so is blocked until they are there.
      helpers = startStepThreads(message.share, task.threads, (reason) => {
        crashed(`A further thread of the training crashed: ${reason}.`);
        worker.terminate();
      });
    });
    worker.on('error', (error) => crashed(`The training thread crashed: ${error.message}`));
    worker.on('exit', (code) => {
      clearTimeout(killer);
      for (const helper of helpers) helper.terminate();
      if (Atomics.load(stop, 0) !== 0) handle({ kind: 'stopped', step });
      crashed(`The training thread ended with code ${code} before its job was done.`);
      handled.then(resolve, reject);
    });
  });
  return {
    stop() {
      Atomics.store(stop, 0, 1);
      killer ??= setTimeout(() => worker.terminate(), STOP_GRACE_MS);
    },
    ended,
  };
}
