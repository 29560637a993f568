/**
 * Event stream without events that makes its client reconnect: the response while the service stops, starts or is
 * without its database. An `EventSource` stops for good after a 503, but reconnects whenever a stream ends.
 */

export const EVENT_STREAM_TYPE = 'text/event-stream';
/** Reconnect delay of clients while the service restarts. */
const RESTART_RETRY_MS = 1_000;

export const EVENT_STREAM_HEADERS = {
  'content-type': `${EVENT_STREAM_TYPE}; charset=utf-8`,
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
} as const;
/** The next request opens a new connection. Another process may accept it. */
export const RECONNECT_HEADERS = { ...EVENT_STREAM_HEADERS, connection: 'close' } as const;

/**
 * @param reason a sentence without a line break; clients ignore it
 * @param lastId see `retryMessage`
 */
export function reconnectMessage(reason: string, lastId?: unknown): string {
  return retryMessage(` ${reason}`, RESTART_RETRY_MS, lastId);
}

/**
 * A message without data. It is not an event, but repeats the id of the last event seen, because some clients, such as
 * httpx-sse, otherwise take the id of this message as empty and continue from the start.
 * @param lastId ignored unless it is the number of an event
 */
export function retryMessage(comment: string, retryMs: number, lastId?: unknown): string {
  const id = /^[1-9]\d{0,15}$/.test(String(lastId)) ? `id: ${lastId}\n` : '';
  return `:${comment}\n${id}retry: ${retryMs}\n\n`;
}

/** @param url without the base path */
export function asksForEvents(request: { url: string; headers: { accept?: string | undefined } }): boolean {
  const { url, headers } = request;
  const isEventRoute = /^\/v1\/training-jobs\/[^/?]+\/events(\?|$)/.test(url);
  return isEventRoute && headers.accept?.includes(EVENT_STREAM_TYPE) === true;
}
