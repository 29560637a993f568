/** POST to a webhook, the only connection that the service opens to an address of a client. */
import { lookup } from 'node:dns/promises';
import { addAbortListener } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type BlockList, isIP } from 'node:net';
import { isReachable } from './addresses.ts';

/** Time for name resolution, connection, request and response. */
export const ATTEMPT_TIMEOUT_MS = 15_000;
/** Part of the response's body that is read, so that the receiver can end its response undisturbed. */
const MAX_RESPONSE_BYTES = 4096;

interface Address {
  readonly address: string;
  readonly family: number;
}
/** Resolves a host name to all of its addresses. */
export type ResolveName = (hostname: string) => Promise<readonly Address[]>;

const resolveName: ResolveName = (hostname) => lookup(hostname, { all: true });

/** The attempt failed, for a reason that clients may see. */
export class WebhookFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WebhookFailure';
  }
}

/**
 * Sends one request and returns the status of the response. Redirects are not followed. The host name is resolved once, and
 * the connection goes to the addresses that were checked, so another answer of the name server changes nothing.
 * @param options.allowed ranges that may be reached although they are not public; a URL with a literal address may always be
 *   reached, because its origin is listed
 * @throws WebhookFailure if a forbidden address was resolved, or no response came; AbortError if `signal` aborted
 */
export async function postWebhook(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  options: { allowed: BlockList; signal: AbortSignal; resolve?: ResolveName; timeoutMs?: number },
): Promise<number> {
  const { allowed, resolve = resolveName, timeoutMs = ATTEMPT_TIMEOUT_MS } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([options.signal, timeout]);
  try {
    signal.throwIfAborted();
    const addresses = await untilAborted(resolveChecked(url, allowed, resolve), signal);
    const response = await send(url, headers, body, addresses, signal);
    await drain(response);
    return response.statusCode!;
  } catch (error) {
    options.signal.throwIfAborted();
    if (timeout.aborted) throw new WebhookFailure(`No response within ${timeoutMs / 1000} s.`);
    throw error instanceof WebhookFailure ? error : new WebhookFailure(describeError(error));
  }
}

/** @throws WebhookFailure */
async function resolveChecked(
  { hostname }: URL,
  allowed: BlockList,
  resolve: ResolveName,
): Promise<readonly Address[]> {
  const literal = hostname.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(literal);
  if (family !== 0) return [{ address: literal, family }];
  const addresses = await resolve(hostname);
  if (addresses.length === 0) throw new WebhookFailure(`${hostname} has no address.`);
  // One forbidden address among public ones is also a sign of an attack.
  const forbidden = addresses.find(({ address }) => !isReachable(address, allowed));
  if (forbidden === undefined) return addresses;
  throw new WebhookFailure(
    `${hostname} resolves to an address that is not public and not in WEBHOOK_PRIVATE_RANGES.`,
  );
}

function send(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  addresses: readonly Address[],
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      // A connection of its own. The host name stays in `Host` and in the TLS handshake.
      agent: false,
      lookup(_hostname, { all }, callback) {
        if (all) callback(null, [...addresses]);
        else callback(null, addresses[0]!.address, addresses[0]!.family);
      },
      signal,
    });
    sent.on('response', resolve);
    sent.on('error', reject);
    // A response with `Upgrade` closes the connection without a response or an error.
    sent.on('close', () => reject(new WebhookFailure('The connection was closed without a response.')));
    sent.end(body);
  });
}

/** The status decides, whatever becomes of the body. */
async function drain(response: IncomingMessage): Promise<void> {
  let bytes = 0;
  try {
    for await (const chunk of response) {
      bytes += (chunk as Buffer).length;
      if (bytes > MAX_RESPONSE_BYTES) return;
    }
  } catch {
    response.destroy();
  }
}

/** Name resolution cannot be broken off, so it is abandoned. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  using _listener = addAbortListener(signal, () => aborted.reject(signal.reason));
  return await Promise.race([work, aborted.promise]);
}

/** A message without addresses, because they would describe the network to clients. */
function describeError(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? `The request failed: ${code}.` : 'The request failed.';
}
