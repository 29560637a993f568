/** Drains unread request bodies before an early response. */
import { IncomingMessage } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { createSemaphore } from '../../concurrency/semaphore.ts';
import { release } from '../../workers/threads/transfer.ts';
import { awaitsContinue, declineContinue } from '../hooks/connections/expect-continue.ts';

/** Draining ends after this time without a byte: the client is waiting for the response, or is gone. */
export const MAX_DRAIN_IDLE_MS = 2000;
/** Draining ends after this time in any case: a slow sender must not wait for minutes to learn that it was rejected. */
export const MAX_DRAIN_MS = 10_000;

/**
 * Most chunks of all rejected bodies that are read in a turn of the event loop. Otherwise each turn would read from every client
 * that sends such a body, and other clients would wait for it. The senders wait instead, because their buffers are full.
 */
export const MAX_DRAINED_CHUNKS = 4;
const turns = createSemaphore(MAX_DRAINED_CHUNKS);

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
    let ended = false;
    const finish = (drained = true) => {
      ended = true;
      clearTimeout(idleTimer);
      clearTimeout(timer);
      body.off('data', drop);
      resolve(drained);
    };
    const giveUp = () => finish(false);
    let idleTimer = setTimeout(giveUp, maxIdleMs);
    const timer = setTimeout(giveUp, maxMs);
    const drop = (chunk: Buffer) => {
      dropped += chunk.length;
      // V8 would collect the garbage of whole bodies, unless something else reads them too.
      if (body instanceof IncomingMessage && body.listenerCount('data') === 1) release([chunk]);
      body.pause();
      if (dropped > limit) return giveUp();
      clearTimeout(idleTimer);
      void turns.run(setImmediate).then(() => {
        if (ended) return;
        idleTimer = setTimeout(giveUp, maxIdleMs);
        body.resume();
      });
    };
    const succeed = () => finish();
    body.on('data', drop).once('end', succeed).once('close', succeed).once('error', succeed).resume();
  });
}
