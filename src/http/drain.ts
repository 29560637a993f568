/** Unread request bodies. */
import type { IncomingMessage } from 'node:http';

/**
 * Reads and drops what is left of a body, `limit` bytes at most: a client that is still sending would see a broken
 * pipe instead of an answer given too early.
 * @returns whether the body came to its end
 */
export function drain(body: IncomingMessage, limit: number): Promise<boolean> {
  // Not only `complete`: a body without a connection, as app.inject makes them, never is.
  if (body.complete || body.readableEnded || body.destroyed) return Promise.resolve(true);
  return new Promise((resolve) => {
    let dropped = 0;
    const finish = () => {
      body.off('data', count);
      resolve(dropped <= limit);
    };
    const count = (chunk: Buffer) => {
      dropped += chunk.length;
      if (dropped > limit) finish();
    };
    body.on('data', count).once('end', finish).once('close', finish).once('error', finish).resume();
  });
}
