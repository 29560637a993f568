/** API keys and scopes. Only hashes of keys are stored. */
import { createHash, randomBytes } from 'node:crypto';

/** Each scope includes those before it. */
export const SCOPES = ['predict', 'train', 'promote', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export function includesScope(held: readonly Scope[], needed: Scope): boolean {
  return held.some((scope) => SCOPES.indexOf(scope) >= SCOPES.indexOf(needed));
}

export interface ApiKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** SHA-256 of the key: 32 bytes. */
  readonly digest: Uint8Array;
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const SHA256 = /^[0-9a-f]{64}$/i;

/** Generates a key: 256 random bits after a prefix that people and secret scanners can recognise. */
export function generateKey(): string {
  return `atl_${randomBytes(32).toString('base64url')}`;
}

export function sha256Bytes(key: string | Uint8Array): Buffer {
  return createHash('sha256').update(key).digest();
}

/** Formats a key in the form that `parseApiKeys` parses. */
export function formatApiKey({ name, scopes, digest }: ApiKey): string {
  return `${name}:${scopes.join('+')}:${Buffer.from(digest).toString('hex')}`;
}

/**
 * @param text entries of the form `name:scope+scope:sha256-of-key`, separated by commas
 * @throws RangeError naming the number of the invalid entry and the reason. The entry itself is not repeated, because
 *   it may be a key.
 */
export function parseApiKeys(text: string): ApiKey[] {
  const keys: ApiKey[] = [];
  for (const [index, entry] of text.split(',').entries()) {
    const defect = (what: string) => new RangeError(`entry ${index + 1} ${what}`);
    const [name = '', scopeList = '', hash = '', ...more] = entry.trim().split(':');
    if (hash === '' || more.length > 0) throw defect('does not have the form name:scope+scope:sha256-of-key');
    const scopes = scopeList.split('+').map((scope) => SCOPES.find((candidate) => candidate === scope));
    if (!NAME.test(name)) throw defect(`has a name that does not match ${NAME.source}`);
    if (!scopes.every((scope) => scope !== undefined)) {
      throw defect(`has an unknown scope; use ${SCOPES.join(', ')}, several joined by +`);
    }
    if (!SHA256.test(hash)) throw defect('does not end with 64 hexadecimal digits, the SHA-256 of its key');
    const digest = Buffer.from(hash, 'hex');
    if (keys.some((key) => key.name === name)) throw defect('has the same name as an earlier entry');
    if (keys.some((key) => digest.equals(key.digest))) throw defect('has the same hash as an earlier entry');
    keys.push({ name, scopes, digest });
  }
  return keys;
}
