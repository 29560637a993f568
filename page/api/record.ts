/** The last request of the current screen, and any request as a curl command. */
import { signal } from '@preact/signals';
import { path as screenPath } from '../router.ts';

export interface RecordedRequest {
  readonly method: string;
  /** From `/v1/` on, with the query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Fields and files of a form, by name. */
  readonly form?: Readonly<Record<string, string | Pick<File, 'name'>>> | undefined;
  /** Sent as the body; the headers name its type. */
  readonly file?: Pick<File, 'name'> | undefined;
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
export function toCurl(
  { method, path, body, form, file, headers = {} }: RecordedRequest,
  hasKey: boolean,
): string {
  const parts = ['curl -s'];
  if (method !== 'GET' && !(method === 'POST' && (body ?? form ?? file) !== undefined))
    parts.push(`-X ${method}`);
  parts.push(quote(new URL(path.slice(1), document.baseURI).href));
  if (hasKey) parts.push('-H "authorization: Bearer $API_KEY"');
  for (const [name, value] of Object.entries(headers)) {
    if (name !== 'if-none-match') parts.push(`-H ${quote(`${name}: ${value}`)}`);
  }
  if (body !== undefined)
    parts.push("-H 'content-type: application/json'", `-d ${quote(JSON.stringify(body))}`);
  if (file !== undefined) parts.push(`--data-binary ${quote(`@${file.name}`)}`);
  parts.push(...Object.entries(form ?? {}).map(formOption));
  return parts.join(' \\\n  ');
}

/** The file is expected in the current folder. Its name is quoted, since curl reads `;` and `,` in it. */
const formOption = ([name, value]: [string, string | Pick<File, 'name'>]): string =>
  typeof value === 'string'
    ? `--form-string ${quote(`${name}=${value}`)}`
    : `-F ${quote(`${name}=@"${value.name.replaceAll(/["\\]/g, '\\$&')}"`)}`;

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
