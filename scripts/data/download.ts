/** One file over HTTP. */
import type { SourceContext } from './source-context.ts';

const TIMEOUT_MS = 10 * 60_000;
/** The largest original is 26 MB compressed. */
const MAX_BYTES = 64 * 2 ** 20;

export async function download(url: string, { signal, say }: SourceContext): Promise<Uint8Array> {
  const response = await fetch(url, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  }).catch((cause) => {
    const reason = cause.cause?.message || cause.cause?.code || cause.message;
    throw new Error(`${url} cannot be reached: ${reason}. Behind a proxy, set NODE_USE_ENV_PROXY=1`, {
      cause,
    });
  });
  if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
  const total = Number(response.headers.get('content-length'));
  say(`Downloading ${url} …`);
  const chunks: Uint8Array[] = [];
  let received = 0;
  for await (const chunk of response.body) {
    chunks.push(chunk);
    received += chunk.length;
    if (received > MAX_BYTES)
      throw new Error(`${url} is longer than ${MAX_BYTES} bytes, so it is not the original`);
    if (process.stdout.isTTY && total > 0)
      process.stdout.write(`\r${Math.floor((100 * received) / total)} % `);
  }
  if (process.stdout.isTTY) process.stdout.write('\r');
  return Buffer.concat(chunks);
}
