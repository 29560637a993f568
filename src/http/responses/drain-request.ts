/** Drains unread request bodies before an early response. */
import type { IncomingMessage } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { awaitsContinue, declineContinue } from '../hooks/connections/expect-continue.ts';

/** Draining ends after this time without a byte: the client is waiting for the response, or is gone. */
export const MAX_DRAIN_IDLE_MS = 2000;
/** Draining ends after this time in any case: a slow sender must not wait for minutes to learn that it was rejected. */
export const MAX_DRAIN_MS = 10_000;

/**
 * Reads and drops the rest of a body, up to `limit` bytes and for `maxMs`, as long as bytes keep arriving. Otherwise a client that
 * is still sending would see a broken pipe instead of the response.
 * The body of a client that is waiting for `100 Continue` is not awaited.
 * @returns false if a limit was exceeded, bytes stopped arriving or none were sent; true if the body ended or the connection closed
 */
export async function drainRequest(
  body: IncomingMessage,
  limit: number,
  maxIdleMs = MAX_DRAIN_IDLE_MS,
  maxMs = MAX_DRAIN_MS,
): Promise<boolean> {
  // `complete` is never set for a body without a connection, as created by app.inject.
  if (body.complete || body.readableEnded || body.destroyed) return true;
  if (awaitsContinue(body)) {
    // A client that did not wait has sent the body with its headers.
    await setImmediate();
    if (body.readableLength === 0 && !body.complete) return false;
    declineContinue(body);
  }
  return new Promise((resolve) => {
    let dropped = 0;
    let late = false;
    const finish = () => {
      clearTimeout(idleTimer);
      clearTimeout(timer);
      body.off('data', count);
      resolve(dropped <= limit && !late);
    };
    const giveUp = () => {
      late = true;
      finish();
    };
    const idleTimer = setTimeout(giveUp, maxIdleMs);
    const timer = setTimeout(giveUp, maxMs);
    const count = (chunk: Buffer) => {
      dropped += chunk.length;
      idleTimer.refresh();
      if (dropped > limit) finish();
    };
    body.on('data', count).once('end', finish).once('close', finish).once('error', finish).resume();
  });
}
