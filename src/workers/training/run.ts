/** A run of a training job as the main thread sees it: its messages, its heartbeat, and its stop. */
import { kernelCost } from '../../numerics/simd/layers-layout.ts';
import { serializeError } from '../threads/errors.ts';
import type { Thread } from '../threads/start.ts';
import type { TrainingTasks } from './entry.worker.ts';
import { createMessageQueue } from './message-queue.ts';
import {
  CONTROL,
  createControl,
  type FinalMessage,
  type TrainingTask,
  type WorkerMessage,
  type WorkerReport,
} from './messages.ts';

/** A thread that has not stopped after this time is terminated. Most steps take milliseconds. */
const STOP_GRACE_MS = 5000;
/** How often the heartbeat is checked within the hang timeout. */
const HEARTBEAT_CHECKS = 10;
/** Far above the duration of any step, even on a shared machine. */
const MIN_HANG_MS = 120_000;
const MIN_MULTIPLY_ADDS_PER_MS = 500_000;

export interface RunInThread {
  /** Signals the thread to stop before its next step, and terminates it if it does not. */
  stop(): void;
  /** Fulfils when the run has ended and every message has been handled. Rejects if handling one fails. */
  readonly ended: Promise<void>;
}

/**
 * @param onMessage called in order, one at a time, with exactly one final message; a crash or hang of the thread is `failed`
 * @param hangsAfterMs time without a heartbeat after which the thread is terminated as crashed
 */
export function startRun(
  thread: Thread<TrainingTasks>,
  task: Omit<TrainingTask, 'control'>,
  onMessage: (message: WorkerMessage) => Promise<void>,
  hangsAfterMs = hangTimeout(task.plan),
): RunInThread {
  const control = createControl();
  const messages = createMessageQueue(onMessage, () => void thread.terminate());
  let killTimer: NodeJS.Timeout | undefined;
  let isOver = false;
  let step = 0;

  function onReport(report: WorkerReport): void {
    if ('progress' in report) step = report.progress.step;
    else if ('step' in report) step = report.step;
    messages.add(report);
    if (report.kind !== 'checkpoint') return;
    const stored = () => Atomics.store(control, CONTROL.checkpointPending, 0);
    messages.handled().then(stored, stored);
  }

  async function callThread(): Promise<FinalMessage> {
    try {
      return await thread.call('train', { ...task, control }, { onReport });
    } catch (error) {
      if (Atomics.load(control, CONTROL.stop) === 0)
        return { kind: 'failed', error: serializeError(error), step };
      return { kind: 'stopped', step, isPlanned: false, checkpoint: null };
    }
  }

  async function train(): Promise<void> {
    const heartbeatCheck = watchHeartbeat(control, hangsAfterMs, (reason) => void thread.terminate(reason));
    messages.add(await callThread());
    isOver = true;
    clearInterval(heartbeatCheck);
    clearTimeout(killTimer);
    await messages.handled();
  }

  return {
    stop() {
      // The thread may already have another run.
      if (isOver) return;
      Atomics.store(control, CONTROL.stop, 1);
      killTimer ??= setTimeout(() => void thread.terminate(), STOP_GRACE_MS);
    },
    ended: train(),
  };
}

/** @param onHang called when the heartbeat has stopped for so long */
function watchHeartbeat(
  control: Int32Array,
  hangsAfterMs: number,
  onHang: (reason: string) => void,
): NodeJS.Timeout {
  let [last, idleChecks] = [-1, 0];
  return setInterval(() => {
    const heartbeat = Atomics.load(control, CONTROL.heartbeat);
    idleChecks = heartbeat === last ? idleChecks + 1 : 0;
    last = heartbeat;
    if (idleChecks < HEARTBEAT_CHECKS) return;
    onHang(`The training thread hung: it did nothing for ${Math.round(hangsAfterMs / 1000)} seconds.`);
  }, hangsAfterMs / HEARTBEAT_CHECKS).unref();
}

/** A step of a large network takes seconds, and its gradient check takes longer. */
function hangTimeout({ architecture, batchSize }: TrainingTask['plan']): number {
  const multiplyAdds = kernelCost(architecture) * batchSize * 3;
  return MIN_HANG_MS + multiplyAdds / MIN_MULTIPLY_ADDS_PER_MS;
}
