/** Graceful shutdown on a signal or a defect, with a hard limit on its duration. */
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Log } from './log.ts';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;
/** One Ctrl-C arrives twice if npm or `node --watch` forwards it, because the terminal signals the whole group. */
const SAME_SIGNAL_MS = 200;
/** Part of the grace period that is reserved for the last log lines and the exit itself. */
const RESERVE_MS = 500;

type Signal = (typeof SIGNALS)[number];
export type OnSignal = (handle: (signal: Signal) => void) => void;

/**
 * Until the returned function sets a handler, a signal ends the process at once: nothing needs cleanup yet. PID 1
 * ignores signals without a listener, so listeners are installed first. They are never removed, because that would
 * drop a pending signal.
 */
export function installSignalHandlers(): OnSignal {
  let handler: Parameters<OnSignal>[0] = () => process.exit(0);
  for (const signal of SIGNALS) process.on(signal, () => handler(signal));
  return (handle) => {
    handler = handle;
  };
}

/**
 * Arranges the shutdown: on a signal or an uncaught exception, closes once. A second signal exits immediately.
 * @param options.onSignal returned by `installSignalHandlers`
 * @param options.onHangup called on SIGHUP instead of the shutdown; null: SIGHUP stops the service like SIGTERM
 * @param options.close releases everything
 */
export function registerShutdown(options: {
  onSignal: OnSignal;
  graceSeconds: number;
  log: Log;
  onHangup: (() => void) | null;
  close: () => Promise<void>;
}): void {
  const { onSignal, graceSeconds, onHangup, close } = options;
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
      (err) => log.error({ err }, 'unclean shutdown'),
    );
    const inTime = await Promise.race([closed, wait(graceMs - RESERVE_MS, 'late')]);
    if (inTime === true) log.info('stopped');
    if (inTime === 'late') log.error(`not stopped within SHUTDOWN_GRACE_SECONDS=${graceSeconds}`);
    return end(inTime === true ? code : 1);
  }

  onSignal((signal) => {
    if (signal === 'SIGHUP' && onHangup) return onHangup();
    if (startedAt === undefined) {
      log.info({ signal }, 'stopping');
      void stop(0);
    } else if (performance.now() - startedAt > SAME_SIGNAL_MS) {
      log.warn({ signal }, 'second signal received, exiting immediately');
      void end(1);
    }
  });
  process.on('uncaughtException', (err) => {
    log.fatal(
      { err },
      startedAt === undefined ? 'uncaught exception, stopping' : 'uncaught exception while stopping',
    );
    if (startedAt === undefined) void stop(1);
  });
}

/** Runs in a separate thread, because timers of the main thread do not fire while it is blocked or exiting. */
function startShutdownWatchdog(milliseconds: number): void {
  const code = `setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${milliseconds})`;
  new Worker(code, { eval: true }).unref();
}
