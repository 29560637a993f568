/** HTTP client: base address, API key, errors as exceptions, and retries. */
import type { ReadableStream } from 'node:stream/web';
import { setTimeout as wait } from 'node:timers/promises';
import packageJson from '../package.json' with { type: 'json' };
import { ConnectionError, ResponseError, readError, UsageError } from './errors.ts';

/** Statuses after which the same request can succeed. */
const TRANSIENT = [429, 502, 503, 504];
/** Statuses that are sent instead of processing the request. */
const REJECTED = [429, 503];
/** Longest time to repeat a request: while the service sends errors, and while it cannot be reached. */
const PATIENCE_MS = { response: 60_000, connection: 5_000 };
const FIRST_BACKOFF_MS = 250;

export interface RequestOptions extends RequestInit {
  /** Whether the request may have been processed when it is sent again. Default true. */
  readonly repeatable?: boolean;
  /** Opens a body that is read while it is sent, for each attempt. */
  readonly open?: () => ReadableStream;
}

export interface Client {
  /**
   * Sends one request.
   * @returns a response with status 2xx
   * @throws ResponseError for every other status, ConnectionError
   */
  attempt(path: string, options?: RequestOptions): Promise<Response>;
  /** Sends a request, and again while the error is transient, after `Retry-After` or an exponential backoff. */
  send(path: string, options?: RequestOptions): Promise<Response>;
  /** Like `send`, and parses the response. */
  json<T>(path: string, options?: RequestOptions): Promise<T>;
  /** Call it when a response has an unexpected form. @throws ConnectionError if the server is not Atelier */
  assertAtelier(): Promise<void>;
}

/**
 * @param url address of the service, with the path that it is served under
 * @param onRetry called before the first wait of a request, with the reason
 */
export function createClient(
  url: string,
  key: string | undefined,
  interrupted: AbortSignal,
  onRetry: (message: string) => void,
): Client {
  const base = url.replace(/\/+$/, '');

  async function attempt(path: string, { open, ...options }: RequestOptions = {}): Promise<Response> {
    const headers = new Headers(options.headers);
    // Without these settings, fetch keeps a copy of the body for redirects.
    const streamed = open && {
      body: open(),
      duplex: 'half' as const,
      redirect: 'error' as const,
      window: null,
    };
    if (key !== undefined) headers.set('authorization', `Bearer ${key}`);
    const response = await fetch(base + path, {
      signal: interrupted,
      ...options,
      ...streamed,
      headers,
    }).catch((error) => {
      interrupted.throwIfAborted();
      // A file of the body could not be read.
      if (error.cause instanceof UsageError) throw error.cause;
      throw new ConnectionError(`The service at ${base} cannot be reached: ${describeFailure(error)}.`);
    });
    if (!response.ok) throw await readError(response, Date.now());
    return response;
  }

  async function send(
    path: string,
    { repeatable = true, ...options }: RequestOptions = {},
  ): Promise<Response> {
    const start = performance.now();
    for (let backoff = FIRST_BACKOFF_MS; ; backoff *= 2) {
      try {
        return await attempt(path, options);
      } catch (error) {
        if (!isTransient(error) || !(repeatable || isRejection(error))) throw error;
        const isResponse = error instanceof ResponseError;
        const delay = (isResponse ? error.retryAfterMs : null) ?? backoff;
        const patience = isResponse ? PATIENCE_MS.response : PATIENCE_MS.connection;
        if (performance.now() - start + delay > patience) throw error;
        if (backoff === FIRST_BACKOFF_MS) {
          onRetry(`${error.message}\nThe request is repeated for up to ${patience / 1000} s.`);
        }
        await wait(delay, undefined, { signal: interrupted });
      }
    }
  }

  return {
    attempt,
    send,
    async json<T>(path: string, options?: RequestOptions) {
      const response = await send(path, options);
      return (await response.json().catch(() => {
        interrupted.throwIfAborted();
        throw new ConnectionError(`The response of ${base} is not JSON, or is not complete.`);
      })) as T;
    },
    async assertAtelier() {
      const response = await attempt('/v2').catch((error) => {
        if (error instanceof ResponseError) return null;
        throw error;
      });
      const server = (await response?.json().catch(() => null)) as
        | { readonly name?: unknown }
        | null
        | undefined;
      if (server?.name === packageJson.name) return;
      throw new ConnectionError(
        `The server at ${base} is not Atelier: its response has another form. Check --url or ATELIER_URL.`,
      );
    },
  };
}

/** Whether the same request can succeed later. */
export function isTransient(error: unknown): error is ResponseError | ConnectionError {
  if (error instanceof ResponseError) {
    return TRANSIENT.includes(error.status) || error.problem?.code === 'request-in-flight';
  }
  return error instanceof ConnectionError;
}

const isRejection = (error: unknown) => error instanceof ResponseError && REJECTED.includes(error.status);

/** The code of a failed connection, such as ECONNREFUSED, or else the message. */
function describeFailure(error: unknown): string {
  const { cause, message } = error as { cause?: NodeJS.ErrnoException; message: string };
  return cause?.code ?? cause?.message ?? message;
}
