/** Drains unread request bodies before an early response. */
import type { IncomingMessage } from 'node:http';

/** After this time without a byte, the client waits for the response or is gone. */
export const MAX_DRAIN_IDLE_MS = 2000;

/**
 * Reads and drops the rest of a body, at most `limit` bytes and while it keeps arriving. A client that is still sending would
 * otherwise see a broken pipe instead of the response.
 * @returns whether the end of the body was reached
 */
export function drainRequest(
  body: IncomingMessage,
  limit: number,
  maxIdleMs = MAX_DRAIN_IDLE_MS,
): Promise<boolean> {
  // `complete` is never set for a body without a connection, as created by app.inject.
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
