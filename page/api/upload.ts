/** Uploads with progress: `fetch` does not report it. */

export interface UploadRequest {
  readonly method: string;
  readonly headers: Headers;
  readonly body: BodyInit | null;
  readonly signal: AbortSignal | null;
}

/**
 * Sends a request as `fetch` does, but with XMLHttpRequest, to get reports of progress.
 * @param onProgress receives the fraction of the body that was sent, from 0 to 1
 * @throws TypeError if the connection is lost; the reason of `signal` after it aborts
 */
export function fetchWithProgress(
  url: string,
  { method, headers, body, signal }: UploadRequest,
  onProgress: (fraction: number) => void,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const sent = new XMLHttpRequest();
    sent.open(method, url);
    sent.responseType = 'blob';
    for (const [name, value] of headers) sent.setRequestHeader(name, value);
    sent.upload.onprogress = ({ loaded, total }) => onProgress(loaded / total);
    sent.onload = () =>
      resolve(new Response(sent.response, { status: sent.status, headers: responseHeaders(sent) }));
    sent.onerror = () => reject(new TypeError('The connection is lost.'));
    sent.onabort = () => reject(signal?.reason);
    signal?.addEventListener('abort', () => sent.abort());
    sent.send(body as XMLHttpRequestBodyInit | null);
  });
}

const responseHeaders = (sent: XMLHttpRequest): [string, string][] =>
  sent
    .getAllResponseHeaders()
    .trim()
    .split('\r\n')
    .map((line) => {
      const end = line.indexOf(':');
      return [line.slice(0, end), line.slice(end + 1).trim()];
    });
