/** Server-sent events of a job, over lost connections and restarts of the service. */
import { setTimeout as wait } from 'node:timers/promises';
import type { components } from './api.d.ts';
import { isLost, ServiceError, Unreachable } from './errors.ts';

export type JobEvent = components['schemas']['JobEvent'];

/** Longest time without a connection. */
const PATIENCE_MS = 5 * 60_000;
/** The service sends a comment every 15 seconds, so a connection that is silent for longer is lost. */
const SILENCE_MS = 60_000;
const ENDED = ['succeeded', 'failed', 'cancelled'];

/**
 * Yields each event once and in order, and returns after the last one. It reconnects with `Last-Event-ID`.
 * @throws ServiceError, such as 410 for deleted events; Unreachable after five minutes without a connection
 */
export async function* followEvents(url: string, headers: Record<string, string>): AsyncGenerator<JobEvent> {
  let [lastId, retryMs, lastContact] = ['0', 1000, performance.now()];
  while (true) {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(new TypeError('The connection is silent.')), SILENCE_MS);
    try {
      const response = await fetch(url, {
        headers: { ...headers, accept: 'text/event-stream', 'last-event-id': lastId },
        signal: silence.signal,
      });
      if (response.status === 204) return;
      if (!response.ok) throw new ServiceError(response, await response.json().catch(() => null));
      for await (const { id, data, retry } of readMessages(response)) {
        timer.refresh();
        lastContact = performance.now();
        if (retry !== undefined) retryMs = Number(retry);
        if (id === undefined || data === undefined) continue;
        lastId = id;
        const event: JobEvent = JSON.parse(data);
        yield event;
        if (event.type === 'status' && ENDED.includes(String(event.data['to']))) return;
      }
    } catch (error) {
      const canPass = error instanceof ServiceError ? error.isTransient : isLost(error);
      if (!canPass) throw error;
      if (performance.now() - lastContact > PATIENCE_MS) throw isLost(error) ? new Unreachable(error) : error;
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
    await wait(retryMs);
  }
}

type Message = Readonly<Partial<Record<string, string>>>;

/** Splits a stream into messages. An incomplete message at the end is dropped, except for `retry`. */
async function* readMessages(response: Response): AsyncGenerator<Message> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body ?? []) {
    const messages = (text + decoder.decode(bytes, { stream: true })).split('\n\n');
    text = messages.pop() ?? '';
    for (const message of messages) {
      const fields = message.matchAll(/^(\w+): ?(.*)$/gm);
      yield Object.fromEntries(Array.from(fields, ([, name, value]) => [name, value]));
    }
    // `retry` holds at once. Without it, comments show that the connection is open.
    const [, retry] = /^retry: (\d+)\n/m.exec(text) ?? [];
    yield retry === undefined ? {} : { retry };
  }
}
