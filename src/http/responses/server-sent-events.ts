/** Events of a job as server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { EventPage } from '../../services/subscribe-events.ts';

export const EVENT_STREAM_TYPE = 'text/event-stream';

const RETRY_MS = 2_000;
/** For a restart, after the whole grace: who comes back while the service still stops is refused, and a browser gives up for good. */
const RESTART_MS = 5_000;
const STALLED_MS = 10_000;
const KEEP_ALIVE = Buffer.from(':\n\n');

/** Followers at the same place are sent the same bytes. */
const rendered = new WeakMap<EventPage, Buffer>();

/**
 * A reader that takes none of the bytes that wait for it is dropped: it goes on by the id of the last event that it
 * read. What waits is no more than a page or two, since none is read before the connection can take it.
 * @param stopping ends the stream
 * @param graceSeconds how long the service may listen on after `stopping`
 * @param pages made with a signal that aborts when nobody is there to read, or on `stopping`
 */
export function streamEvents(
  reply: FastifyReply,
  stopping: AbortSignal,
  pages: (signal: AbortSignal) => AsyncIterable<EventPage>,
  graceSeconds: number,
  stalledMs = STALLED_MS,
): Readable {
  const { raw } = reply;
  const ending = new AbortController();
  const end = () => ending.abort();
  const dropStalled = () => {
    if (raw.writableLength > 0) raw.destroy();
  };
  const stop = () => {
    end();
    dropStalled();
  };
  // Not AbortSignal.any, which keeps something of every stream for as long as the service runs.
  stopping.addEventListener('abort', stop);
  raw.once('close', () => {
    stopping.removeEventListener('abort', stop);
    end();
  });
  if (stopping.aborted || raw.closed) end();
  raw.setTimeout(stalledMs, dropStalled);
  reply.headers({
    'content-type': `${EVENT_STREAM_TYPE}; charset=utf-8`,
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  return Readable.from(render(pages(ending.signal), stopping, graceSeconds), { objectMode: false });
}

async function* render(
  pages: AsyncIterable<EventPage>,
  stopping: AbortSignal,
  graceSeconds: number,
): AsyncGenerator<Buffer> {
  // At once, so that the client sees the headers.
  yield Buffer.from(`:\nretry: ${RETRY_MS}\n\n`);
  for await (const page of pages) yield renderPage(page);
  const backMs = graceSeconds * 1000 + RESTART_MS;
  if (stopping.aborted) yield Buffer.from(`: the service stops\nretry: ${backMs}\n\n`);
}

function renderPage(page: EventPage): Buffer {
  if (page.length === 0) return KEEP_ALIVE;
  const cached = rendered.get(page);
  if (cached) return cached;
  const messages = page.map(
    (event) => `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
  );
  const bytes = Buffer.from(messages.join(''));
  rendered.set(page, bytes);
  return bytes;
}
