/** Where the log goes. */
import type { Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import type { Config } from './config.ts';

export interface Log {
  readonly log: Logger;
  /** Fulfils when what was said is written, or where nobody reads it, soon. */
  flush(): Promise<unknown>;
}

/** The path alone: people put keys into queries, where none belongs. */
const serializers = { url: (url: string) => url.split('?', 1)[0] };

/** Pretty on a terminal; else JSON, in pieces: a system call a line would halve the rate of predictions. */
export function createLog(level: Config['logLevel']): Log {
  if (process.stdout.isTTY) {
    const log = pino({
      level,
      serializers,
      transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname' } },
    });
    return { log, flush: () => withTimeout(new Promise((resolve) => log.flush(resolve))) };
  }
  const lines = createLineWriter(process.stdout);
  return { log: pino({ level, serializers }, lines), flush: () => withTimeout(lines.flush()) };
}

const withTimeout = (flushed: Promise<unknown>) => Promise.race([flushed, wait(FLUSH_TIMEOUT_MS)]);

const FLUSH_TIMEOUT_MS = 250;
const FLUSH_CHARS = 4096;
const FLUSH_INTERVAL_MS = 200;
/** What is kept for a reader that does not keep up; further lines are dropped, and counted. */
const MAX_BUFFERED_BYTES = 16 * 2 ** 20;

/**
 * Through Node's stream and not by `fs.write`, as pino's own destination does: on a pipe or socket that nobody reads,
 * `fs.write` holds a thread that Node waits for at its exit, so that the process would never end.
 */
export function createLineWriter(out: Writable) {
  let buffer = '';
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;
  // Whoever read has gone: the service goes on without.
  out.on('error', () => {});

  function send(written?: (error?: Error | null) => void): void {
    clearTimeout(timer);
    timer = undefined;
    const text = buffer;
    buffer = '';
    out.write(text, written);
  }

  return {
    write(line: string): void {
      if (out.writableLength > MAX_BUFFERED_BYTES) return void dropped++;
      if (dropped > 0) {
        const msg = `${dropped} lines of the log were dropped: nobody read them`;
        buffer += `${JSON.stringify({ level: 40, time: Date.now(), msg })}\n`;
        dropped = 0;
      }
      buffer += line;
      if (buffer.length >= FLUSH_CHARS) send();
      else timer ??= setTimeout(() => send(), FLUSH_INTERVAL_MS).unref();
    },
    /** Fulfils when all that was said is written; never where nobody reads. */
    flush: () => new Promise((resolve) => send(resolve)),
  };
}
