/** One task of a training thread as the main thread sees it: its messages, its heartbeat, and its stop. */
import { parameterCount } from '../../numerics/network/layers.ts';
import { CONTROL, type TrainingTask, type WorkerMessage } from '../messages/shapes.ts';
import { createMessageQueue } from './message-queue.ts';

/** A thread that has not stopped after this time is terminated. Most steps take milliseconds. */
export const STOP_GRACE_MS = 5000;
/** How often the heartbeat is checked within the hang timeout. */
const HEARTBEAT_CHECKS = 10;
/** Far above the duration of any step, even on a shared machine. */
const MIN_HANG_MS = 120_000;
const MIN_MULTIPLY_ADDS_PER_MS = 500_000;

export interface SupervisedTask {
  /** Shared cells of the task, indexed by CONTROL. */
  readonly control: Int32Array;
  /** Handles a message of the thread; those after the final one are ignored. */
  handle(message: WorkerMessage): void;
  failAsCrashed(reason: string): void;
  /** Call when the thread has exited. */
  threadExited(code: number): void;
  /** Signals the thread to stop before its next step, and terminates it if it does not. */
  stop(): void;
  /** Fulfils when the task has ended and every message has been handled. Rejects if handling one fails. */
  readonly ended: Promise<void>;
}

/**
 * @param options.terminate ends the thread
 * @param options.hangsAfterMs time without a heartbeat after which the thread is terminated as crashed
 */
export function superviseTask(
  { plan }: Pick<TrainingTask, 'plan'>,
  onMessage: (message: WorkerMessage) => Promise<void>,
  {
    terminate,
    hangsAfterMs: hangTimeoutMs = hangTimeout(plan),
  }: { terminate: () => void; hangsAfterMs?: number | undefined },
): SupervisedTask {
  const control = new Int32Array(new SharedArrayBuffer(4 * Object.keys(CONTROL).length));
  const messages = createMessageQueue(onMessage, terminate);
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const heartbeatCheck = startHeartbeatCheck();
  let killTimer: NodeJS.Timeout | undefined;
  let final = false;
  let step = 0;

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
      terminate();
    }, hangTimeoutMs / HEARTBEAT_CHECKS).unref();
  }

  function handle(message: WorkerMessage): void {
    if (final) return;
    if ('progress' in message) step = message.progress.step;
    else if ('step' in message) step = message.step;
    messages.add(message);
    if (message.kind === 'checkpoint') {
      const stored = () => Atomics.store(control, CONTROL.checkpointPending, 0);
      messages.handled().then(stored, stored);
    }
    final = message.kind === 'completed' || message.kind === 'stopped' || message.kind === 'failed';
    if (!final) return;
    clearTimeout(killTimer);
    clearInterval(heartbeatCheck);
    messages.handled().then(resolve, reject);
  }

  function failAsCrashed(reason: string): void {
    handle({ kind: 'failed', error: { code: 'worker-crashed', message: reason, details: [] }, step });
  }

  return {
    control,
    handle,
    failAsCrashed,
    threadExited(code) {
      if (Atomics.load(control, CONTROL.stop) !== 0)
        handle({ kind: 'stopped', step, isPlanned: false, checkpoint: null });
      failAsCrashed(`The training thread exited with code ${code} before its job had ended.`);
    },
    stop() {
      // The thread may already run another task.
      if (final) return;
      Atomics.store(control, CONTROL.stop, 1);
      killTimer ??= setTimeout(terminate, STOP_GRACE_MS);
    },
    ended,
  };
}

/** A step of a large network takes seconds, and its gradient check takes longer. */
function hangTimeout({ layerSizes, batchSize }: TrainingTask['plan']): number {
  const multiplyAdds = parameterCount(layerSizes) * batchSize * 3;
  return MIN_HANG_MS + multiplyAdds / MIN_MULTIPLY_ADDS_PER_MS;
}
