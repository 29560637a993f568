/** Server-sent events by `fetch`, since `EventSource` cannot send a key. Survives lost connections and restarts of the service. */
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { useEffect, useRef } from 'preact/hooks';
import { reportConnection } from '../state/connection.ts';
import { headersWithKey, resolveAddress } from './client.ts';
import { apiKey, askForKey } from './key.ts';
import { type ApiProblem, readProblem, toProblem } from './problem.ts';

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 8000;
/** The service sends a comment every 15 seconds, so a connection that is silent for longer is lost. */
const SILENCE_MS = 45_000;
const MAX_STREAMS = 2;

export interface StreamHandlers<E> {
  readonly onEvent: (event: E) => void;
  /** There will be no more events. */
  readonly onEnd?: () => void;
  readonly onProblem?: (problem: ApiProblem) => void;
}

/** Follows the events of `path` from the first one, while the component is mounted and the document visible. */
export function useEvents<E>(path: string | null, handlers: StreamHandlers<E>): void {
  const current = useRef(handlers);
  current.current = handlers;
  const key = apiKey.value;
  const lastId = useRef({ path, id: '0' });
  if (lastId.current.path !== path) lastId.current = { path, id: '0' };

  useEffect(() => {
    if (path === null) return;
    const controller = new AbortController();
    const position = lastId.current;
    followEvents<E>(path, position, current, controller.signal).catch((error) => {
      if (!controller.signal.aborted) current.current.onProblem?.(toProblem(error));
    });
    return () => controller.abort();
  }, [path, key]);
}

async function followEvents<E>(
  path: string,
  position: { id: string },
  handlers: { readonly current: StreamHandlers<E> },
  signal: AbortSignal,
): Promise<void> {
  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    await visible(signal);
    const release = await acquireStream(signal);
    const hidden = whenHidden(signal);
    try {
      const response = await open(path, position.id, hidden.signal);
      if (response === null) return handlers.current.onEnd?.();
      retryMs = FIRST_RETRY_MS;
      for await (const { id, data } of readMessages(response, hidden.abort)) {
        if (id === undefined) continue;
        position.id = id;
        handlers.current.onEvent(JSON.parse(data) as E);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!hidden.signal.aborted) {
        if (!(error instanceof TypeError)) throw error;
        reportConnection(false);
      }
    } finally {
      hidden.stop();
      release();
    }
    if (!document.hidden) await wait(retryMs, signal);
    retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
  }
}

/** @returns null if the stream has ended. @throws ApiProblem, or a TypeError if the connection is lost */
async function open(path: string, lastEventId: string, signal: AbortSignal): Promise<Response | null> {
  const headers = headersWithKey({ accept: 'text/event-stream', 'last-event-id': lastEventId });
  const response = await fetch(resolveAddress(path), { headers, signal });
  if (response.status === 204) return null;
  if (response.status >= 500 || response.status === 429) throw new TypeError('The service is away.');
  if (!response.ok) {
    const problem = await readProblem(response);
    if (problem.code !== 'unauthenticated' || !(await askForKey(problem))) throw problem;
    throw new TypeError('The request is repeated with the new key.');
  }
  reportConnection(true);
  return response;
}

interface HiddenSignal {
  readonly signal: AbortSignal;
  readonly abort: () => void;
  readonly stop: () => void;
}

/** @param abort called if the stream is silent for too long */
export async function* readMessages(response: Response, abort: () => void) {
  const silence = { timer: setTimeout(abort, SILENCE_MS) };
  const restart = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(bytes, out) {
      clearTimeout(silence.timer);
      silence.timer = setTimeout(abort, SILENCE_MS);
      out.enqueue(bytes);
    },
  });
  const messages = response
    .body!.pipeThrough(restart)
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  const reader = messages.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    clearTimeout(silence.timer);
  }
}

/** A signal that also aborts when the document is hidden. */
function whenHidden(signal: AbortSignal): HiddenSignal {
  const controller = new AbortController();
  const check = () => {
    if (document.hidden) controller.abort();
  };
  document.addEventListener('visibilitychange', check);
  return {
    signal: AbortSignal.any([signal, controller.signal]),
    abort: () => controller.abort(),
    stop: () => document.removeEventListener('visibilitychange', check),
  };
}

async function visible(signal: AbortSignal): Promise<void> {
  while (document.hidden) {
    await new Promise<void>((resolve) => {
      document.addEventListener('visibilitychange', () => resolve(), { once: true, signal });
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    signal.throwIfAborted();
  }
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        reject(signal.reason);
      },
      { once: true },
    );
  });
}

/** Waits for one of the connections that a browser has for the service, and returns how to release it. */
async function acquireStream(signal: AbortSignal): Promise<() => void> {
  while (streams.size >= MAX_STREAMS) await wait(200, signal);
  const token = Symbol('stream');
  streams.add(token);
  return () => streams.delete(token);
}

const streams = new Set<symbol>();
