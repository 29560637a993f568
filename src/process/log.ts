/** The log: pretty on a terminal, otherwise JSON lines that are written in batches. */
import type { Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { type Logger, pino, transport } from 'pino';
import type { Config } from '../config/read.ts';

export interface Log {
  readonly log: Logger;
  /** Writes a line of JSON, with its line end, to where the lines of the logger go. */
  writeLine(line: string): void;
  /** Resolves when all lines are written, or after a timeout if the reader does not keep up. */
  flush(): Promise<unknown>;
}

/** Logs the path only: clients put keys into query strings, where they do not belong. */
const serializers = { url: (url: string) => url.split('?', 1)[0] };

/** Lines are batched because one system call per line would halve the rate of predictions. */
export function createLog(level: Config['logLevel']): Log {
  if (process.stdout.isTTY) {
    const lines = transport({ target: 'pino-pretty', options: { ignore: 'pid,hostname' } });
    const log = pino({ level, serializers }, lines);
    const flush = () => withTimeout(new Promise((resolve) => log.flush(resolve)));
    return { log, writeLine: (line) => void lines.write(line), flush };
  }
  const lines = createLineWriter(process.stdout);
  return {
    log: pino({ level, serializers }, lines),
    writeLine: lines.write,
    flush: () => withTimeout(lines.flush()),
  };
}

const withTimeout = (flushed: Promise<unknown>) => Promise.race([flushed, wait(FLUSH_TIMEOUT_MS)]);

const FLUSH_TIMEOUT_MS = 250;
const FLUSH_CHARS = 15 * 1024;
const FLUSH_INTERVAL_MS = 200;
/** Limit of the buffer for a slow reader; further lines are dropped and counted. */
const MAX_BUFFERED_BYTES = 16 * 2 ** 20;

/**
 * Uses Node's stream instead of pino's own destination and its `fs.write`: on a pipe or socket without a reader,
 * `fs.write` blocks a thread that Node waits for on exit, and the process would never end.
 */
export function createLineWriter(out: Writable) {
  let buffer = '';
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;
  // The reader has disconnected; the service continues without a log.
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
        const msg = `The reader was too slow. Log lines that were dropped: ${dropped}`;
        buffer += `${JSON.stringify({ level: 40, time: Date.now(), msg })}\n`;
        dropped = 0;
      }
      buffer += line;
      if (buffer.length >= FLUSH_CHARS) send();
      else timer ??= setTimeout(() => send(), FLUSH_INTERVAL_MS).unref();
    },
    /** Resolves when all lines are written; never if the reader has stopped reading. */
    flush: () => new Promise((resolve) => send(resolve)),
  };
}
