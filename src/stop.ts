/** The end of the process: in order, and in any case in time. */
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Log } from './log.ts';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;
/** One Ctrl-C arrives twice where `node --watch` or npm hands on what the terminal has sent to all of them. */
const SAME_SIGNAL_MS = 200;
/** Of the grace, for the last lines of the log and the exit itself. */
const RESERVE_MS = 500;

type Signal = (typeof SIGNALS)[number];
export type OnSignal = (handle: (signal: Signal) => void) => void;

/**
 * A signal ends the process at once, until what is returned says what else is to happen: nothing is held at first that
 * is to be let go of. The first process of a container would not even notice a signal that it has no ear for; and the
 * same ear stays, because with one that is taken off goes what it has heard and not told yet.
 */
export function installSignalHandlers(): OnSignal {
  let handler: Parameters<OnSignal>[0] = () => process.exit(0);
  for (const signal of SIGNALS) process.on(signal, () => handler(signal));
  return (handle) => {
    handler = handle;
  };
}

/**
 * Stops on a signal, on a defect that nothing caught, and never twice; a further signal ends the process at once.
 * @param onSignal of `hearSignals`
 * @param close lets go of everything
 */
export function shutdownGracefully(options: {
  onSignal: OnSignal;
  graceSeconds: number;
  log: Log;
  close: () => Promise<void>;
}): void {
  const { onSignal, graceSeconds, close } = options;
  const { log, flush } = options.log;
  let startedAt: number | undefined;

  async function end(code: number): Promise<never> {
    await flush();
    process.exit(code);
  }

  async function stop(code: number): Promise<never> {
    startedAt = performance.now();
    const graceMs = graceSeconds * 1000;
    startShutdownWatchdog(graceMs);
    const closed = close().then(
      () => true,
      (err) => log.error({ err }, 'not stopped in order'),
    );
    const inTime = await Promise.race([closed, wait(graceMs - RESERVE_MS, 'late')]);
    if (inTime === true) log.info('stopped');
    if (inTime === 'late') log.error(`not stopped within SHUTDOWN_GRACE_SECONDS=${graceSeconds}`);
    return end(inTime === true ? code : 1);
  }

  onSignal((signal) => {
    if (startedAt === undefined) {
      log.info({ signal }, 'stopping');
      void stop(0);
    } else if (performance.now() - startedAt > SAME_SIGNAL_MS) {
      log.warn({ signal }, 'told again to stop, and stopping at once');
      void end(1);
    }
  });
  process.on('uncaughtException', (err) => {
    log.fatal({ err }, startedAt === undefined ? 'stopping because of a defect' : 'a defect while stopping');
    if (startedAt === undefined) void stop(1);
  });
}

/** From a thread of its own: a timer of the main thread is of no use where that is blocked, or waits in its exit. */
function startShutdownWatchdog(milliseconds: number): void {
  const code = `setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${milliseconds})`;
  new Worker(code, { eval: true }).unref();
}
