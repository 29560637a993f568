/** Follows the events of a job or a search over lost connections and restarts of the service. */
import { setTimeout as wait } from 'node:timers/promises';
import type { JobStatus } from '../../src/domain/jobs/status.ts';
import type { JobEvent } from '../../src/domain/jobs/training.ts';
import type { SearchEvent } from '../../src/domain/searches/representation.ts';
import { type Client, isTransient } from '../client.ts';
import { ConnectionError } from '../errors.ts';

/** Longest time without a connection. */
const PATIENCE_MS = 5 * 60_000;
/** The service sends a comment every 15 seconds, so a connection that is silent for longer is lost. */
const SILENCE_MS = 60_000;
const ENDED: readonly JobStatus[] = ['succeeded', 'failed', 'cancelled'];

type Event = JobEvent | SearchEvent;

/** A message of a stream of server-sent events. */
type Message = Readonly<Partial<Record<string, string>>>;

/** Splits a stream of server-sent events into messages. An incomplete message at its end is dropped, except for `retry`, as the specification demands. */
export async function* readMessages(body: AsyncIterable<Uint8Array>): AsyncGenerator<Message> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of body) {
    const messages = (text + decoder.decode(bytes, { stream: true })).split('\n\n');
    text = messages.pop()!;
    for (const message of messages) {
      const fields = message.split('\n').flatMap((line) => {
        const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
        return name === undefined ? [] : [[name, value] as const];
      });
      yield Object.fromEntries(fields);
    }
    // `retry` holds at once. Without it, comments show that the connection is open.
    const [, retry] = /^retry: (\d+)\n/m.exec(text) ?? [];
    yield retry === undefined ? {} : { retry };
  }
}

/**
 * Yields every event of a job or a search once and in order, and returns after the last one. It reconnects with `Last-Event-ID`.
 * @param path of the job or the search
 * @param onLost called when the connection is lost, until the next event
 * @throws ResponseError, such as 410 for deleted events, or ConnectionError after five minutes without a connection
 */
export async function* followEvents<E extends Event>(
  client: Client,
  path: string,
  interrupted: AbortSignal,
  onLost: () => void,
): AsyncGenerator<E> {
  let lastId = '0';
  let retryMs = 1000;
  let lastContact = performance.now();
  while (true) {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const response = await client.attempt(`${path}/events`, {
        headers: { accept: 'text/event-stream', 'last-event-id': lastId },
        signal: AbortSignal.any([interrupted, silence.signal]),
      });
      if (response.status === 204) return;
      for await (const { id, data, retry } of readMessages(response.body!)) {
        timer.refresh();
        lastContact = performance.now();
        if (retry !== undefined) retryMs = Number(retry);
        if (id === undefined || data === undefined) continue;
        lastId = id;
        const event = JSON.parse(data) as E;
        yield event;
        if (isLast(event)) return;
      }
    } catch (error) {
      interrupted.throwIfAborted();
      // fetch reports a stream that is cut off as a TypeError, and a silent one as an AbortError.
      const isLost = isTransient(error) || error instanceof TypeError || silence.signal.aborted;
      if (!isLost) throw error;
      if (performance.now() - lastContact > PATIENCE_MS) {
        throw new ConnectionError(`No connection for five minutes. ${(error as Error).message}`);
      }
    } finally {
      clearTimeout(timer);
    }
    onLost();
    await wait(retryMs, undefined, { signal: interrupted });
  }
}

const isLast = ({ type, data }: Event) => type === 'status' && ENDED.includes(data['to'] as JobStatus);
