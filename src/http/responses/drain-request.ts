/** Unread request bodies. */
import type { IncomingMessage } from 'node:http';

/** Of a body that does not go on arriving: its client waits for the answer, or is gone. */
export const MAX_IDLE_MS = 2000;

/**
 * Reads and drops what is left of a body, `limit` bytes at most and as long as it goes on arriving: a client that is still sending would see a broken
 * pipe instead of an answer given too early.
 * @returns whether the body came to its end
 */
export function drainRequest(
  body: IncomingMessage,
  limit: number,
  maxIdleMs = MAX_IDLE_MS,
): Promise<boolean> {
  // Not only `complete`: a body without a connection, as app.inject makes them, never is.
  if (body.complete || body.readableEnded || body.destroyed) return Promise.resolve(true);
  return new Promise((resolve) => {
    let dropped = 0;
    let idle = false;
    const finish = () => {
      clearTimeout(timer);
      body.off('data', count);
      resolve(dropped <= limit && !idle);
    };
    const timer = setTimeout(() => {
      idle = true;
      finish();
    }, maxIdleMs);
    const count = (chunk: Buffer) => {
      dropped += chunk.length;
      timer.refresh();
      if (dropped > limit) finish();
    };
    body.on('data', count).once('end', finish).once('close', finish).once('error', finish).resume();
  });
}
