/** What tells a request from others that come with the same Idempotency-Key. */
import { createHash } from 'node:crypto';
import stringify from 'safe-stable-stringify';

/**
 * @param url path and query
 * @param body the bytes, or parsed JSON: the order of its keys, its white space and the spelling of its numbers do not count
 * @returns SHA-256 in hexadecimal
 */
export function computeFingerprint(request: {
  method: string;
  url: string;
  caller: string;
  body: unknown;
}): string {
  const { method, url, caller, body } = request;
  const isBytes = body instanceof Uint8Array;
  return createHash('sha256')
    .update(`${JSON.stringify([method, url, caller, isBytes ? 'bytes' : 'json'])}\n`)
    .update(isBytes ? body : (stringify(body) ?? ''))
    .digest('hex');
}
