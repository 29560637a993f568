/** The one HTTP client of the page: JSON requests, the API key, one retry when the service is busy. */
import { reportConnection, retryIn } from '../state/connection.ts';
import { apiKey, askForKey } from './key.ts';
import { type ApiProblem, readProblem, unreachable } from './problem.ts';
import { type RecordedRequest, recordRequest } from './record.ts';
import { fetchWithProgress } from './upload.ts';

export interface RequestOptions extends Omit<Partial<RecordedRequest>, 'path' | 'form' | 'file'> {
  /** Sent as multipart/form-data, instead of `body`. */
  readonly form?: Readonly<Record<string, string | File>>;
  /** Receives the fraction of the body that was sent, from 0 to 1. */
  readonly onUpload?: (fraction: number) => void;
  /** Sent as it is, instead of `body`. The headers name its type. */
  readonly file?: File;
  readonly signal?: AbortSignal;
  /** Whether "as curl" of the screen shows this request; default true. */
  readonly isRecorded?: boolean;
}

/** Statuses that ask to send the same request later. */
const BUSY = [429, 503];
const LONGEST_WAIT_S = 60;

/**
 * Sends one request. `path` begins with `/v1/`; it is relative to the page, so a proxy may add a prefix.
 * @returns a response with status 2xx or 304
 * @throws ApiProblem for every other status and for a lost connection; an AbortError after `signal`
 */
export async function request(path: string, options: RequestOptions = {}): Promise<Response> {
  const { method = 'GET', body, form, file, headers, isRecorded = true } = options;
  if (isRecorded) recordRequest({ method, path, body, form, file, headers });
  let response = await attempt(path, options);
  let keyUsed = apiKey.value;
  for (let problem = await refusal(response); problem !== null; problem = await refusal(response)) {
    // Another request may have got a new key in between.
    if (apiKey.value === keyUsed && !(await askForKey(problem))) throw problem;
    keyUsed = apiKey.value;
    response = await attempt(path, options);
  }
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  if (BUSY.includes(response.status) && seconds <= LONGEST_WAIT_S) {
    await countDown(seconds, options.signal);
    response = await attempt(path, options);
  }
  if (response.ok || response.status === 304) return response;
  throw await readProblem(response);
}

/** Like `request`, with the parsed body of the response. */
export async function requestJson<T>(path: string, options?: RequestOptions): Promise<T> {
  const response = await request(path, options);
  return (response.status === 204 ? null : await response.json()) as T;
}

/** An action: POST by default, with a JSON body. */
export const send = <T>(path: string, body?: unknown, options?: RequestOptions): Promise<T> =>
  requestJson<T>(path, { method: 'POST', ...(body !== undefined && { body }), ...options });

/** The address of a path of the API, as a link or a request needs it. */
export const resolveAddress = (path: string): string => new URL(path.slice(1), document.baseURI).href;

/** Headers with the key, for requests that do not go through `request`. */
export function headersWithKey(headers: Readonly<Record<string, string>> = {}): Headers {
  const all = new Headers(headers);
  if (apiKey.value !== '') all.set('authorization', `Bearer ${apiKey.value}`);
  return all;
}

async function attempt(path: string, options: RequestOptions): Promise<Response> {
  const { method = 'GET', body, form, file, signal = null, onUpload } = options;
  const headers = headersWithKey(options.headers);
  if (body !== undefined) headers.set('content-type', 'application/json');
  const sent = file ?? (form && toFormData(form)) ?? (body === undefined ? null : JSON.stringify(body));
  const init = { method, headers, body: sent, signal };
  try {
    const response = await (onUpload
      ? fetchWithProgress(resolveAddress(path), init, onUpload)
      : fetch(resolveAddress(path), init));
    reportConnection(true);
    return response;
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof TypeError)) throw error;
    reportConnection(false);
    throw unreachable();
  }
}

function toFormData(form: Readonly<Record<string, string | File>>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(form)) data.append(name, value);
  return data;
}

/** The problem if another key could help. */
async function refusal(response: Response): Promise<ApiProblem | null> {
  if (response.status !== 401 && response.status !== 403) return null;
  const problem = await readProblem(response.clone());
  return ['unauthenticated', 'forbidden'].includes(problem.code) ? problem : null;
}

/** Waits `seconds` and shows the time that is left. */
async function countDown(seconds: number, signal?: AbortSignal): Promise<void> {
  try {
    for (let left = Math.max(1, Math.ceil(seconds)); left > 0; left--) {
      retryIn.value = left;
      await new Promise((resolve) => setTimeout(resolve, 1000));
      signal?.throwIfAborted();
    }
  } finally {
    retryIn.value = null;
  }
}
