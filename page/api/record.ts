/** The last request of the current screen, and any request as a curl command. */
import { signal } from '@preact/signals';
import { path as screenPath } from '../router.ts';

export interface RecordedRequest {
  readonly method: string;
  /** From `/v1/` on, with the query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

interface ScreenRequest extends RecordedRequest {
  readonly screen: string;
}

const last = signal<ScreenRequest | null>(null);

export function recordRequest(request: RecordedRequest): void {
  last.value = { ...request, screen: screenPath.value };
}

/** The last recorded request of the screen that is shown, or null. Subscribes the component that reads it. */
export const lastRequest = (): RecordedRequest | null =>
  last.value?.screen === screenPath.value ? last.value : null;

/** The command for a POSIX shell. The key is written as a variable. */
export function toCurl({ method, path, body, headers = {} }: RecordedRequest, hasKey: boolean): string {
  const parts = ['curl -s'];
  if (method !== 'GET' && !(method === 'POST' && body !== undefined)) parts.push(`-X ${method}`);
  parts.push(quote(new URL(path.slice(1), document.baseURI).href));
  if (hasKey) parts.push('-H "authorization: Bearer $API_KEY"');
  for (const [name, value] of Object.entries(headers)) {
    if (name !== 'if-none-match') parts.push(`-H ${quote(`${name}: ${value}`)}`);
  }
  if (body !== undefined)
    parts.push("-H 'content-type: application/json'", `-d ${quote(JSON.stringify(body))}`);
  return parts.join(' \\\n  ');
}

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
