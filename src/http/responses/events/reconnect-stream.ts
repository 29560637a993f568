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

/** @param reason a sentence without a line break; clients ignore it */
export const reconnectMessage = (reason: string): string => `: ${reason}\n${retryField(RESTART_RETRY_MS)}`;

/**
 * A field of the next event. A blank line after it would end a message without data, which some clients, such as
 * fetch-event-source and httpx-sse, pass on as an event.
 */
export const retryField = (milliseconds: number): string => `retry: ${milliseconds}\n`;

/** @param url without the base path */
export function asksForEvents(request: { url: string; headers: { accept?: string | undefined } }): boolean {
  const { url, headers } = request;
  const isEventRoute = /^\/v1\/(training-jobs|searches)\/[^/?]+\/events(\?|$)/.test(url);
  return isEventRoute && headers.accept?.includes(EVENT_STREAM_TYPE) === true;
}
