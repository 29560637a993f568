/**
 * Events of jobs, searches and gradient checks as server-sent events.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { EVENT_STREAM_HEADERS, reconnectMessage, retryField } from './reconnect-stream.ts';

/** Reconnect delay of clients while the service is running. */
export const RETRY_MS = 2_000;
const CHUNK_BYTES = 64 * 1024;
/** Without a blank line: see `retryField`. */
const KEEP_ALIVE = Buffer.from(':\n');

/** Sent with its fields; `id` and `type` are also the id and the name of the message. */
interface StreamedEvent {
  readonly id: number;
  readonly type: string;
}
type EventPage = readonly StreamedEvent[];

/** The reasons to end a stream before its last event. */
interface StreamEndings {
  /** Aborts at shutdown. */
  readonly stopping: AbortSignal;
  /** Aborts when the key of the client is no longer valid; null without a key. */
  readonly revoked: AbortSignal | null;
}

/** Cache of rendered pages, shared by clients at the same cursor. */
const rendered = new WeakMap<EventPage, Buffer>();

/**
 * Streams pages of events. A client that does not read its buffered bytes is disconnected by hooks/connections; it can
 * continue from the id of the last event that it read. At most two pages are buffered, since a page is only fetched when the connection
 * can accept it.
 * @param pages called with a signal that aborts when the client is gone, or the stream ends
 */
export function streamEvents(
  reply: FastifyReply,
  pages: (signal: AbortSignal) => AsyncIterable<EventPage>,
  endings: StreamEndings,
): Readable {
  const { raw } = reply;
  const signals = [endings.stopping, endings.revoked].filter((signal) => signal !== null);
  const ending = new AbortController();
  const end = () => ending.abort();
  const stop = () => {
    end();
    // Its client would read the end too late.
    if (raw.writableLength > 0) raw.destroy();
  };
  // AbortSignal.any would leak memory for each stream as long as the service runs.
  for (const signal of signals) signal.addEventListener('abort', stop);
  raw.once('close', () => {
    for (const signal of signals) signal.removeEventListener('abort', stop);
    end();
  });
  if (signals.some(({ aborted }) => aborted) || raw.closed) end();
  reply.headers(EVENT_STREAM_HEADERS);
  return Readable.from(render(pages(ending.signal), endings), { objectMode: false });
}

async function* render(
  pages: AsyncIterable<EventPage>,
  { stopping, revoked }: StreamEndings,
): AsyncGenerator<Buffer> {
  // Sent immediately, so that the client receives the headers.
  yield Buffer.from(retryField(RETRY_MS));
  for await (const page of pages) yield* inChunks(renderPage(page));
  if (stopping.aborted) yield Buffer.from(reconnectMessage('The service is shutting down.'));
  else if (revoked?.aborted) yield Buffer.from(': The API key is no longer valid.\n');
}

/** The system reports only whole chunks as sent. hooks/connections measures the progress of a client by them. */
function* inChunks(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    yield bytes.subarray(start, start + CHUNK_BYTES);
  }
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
