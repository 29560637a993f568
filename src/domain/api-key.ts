/** API keys and scopes. Only hashes of keys are stored. */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';

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
  /** Last day on which the key is valid, in UTC, such as 2027-01-31. A key without one does not expire. */
  readonly lastDay?: string;
}

/** Every key is compared with the key of a request. */
export const MAX_API_KEYS = 1000;
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const SHA256 = /^[0-9a-f]{64}$/i;
const DAY_MS = 86_400_000;

/** Generates a key: 256 random bits after a prefix that people and secret scanners can recognise. */
export function generateKey(): string {
  return `atl_${randomBytes(32).toString('base64url')}`;
}

export function sha256Bytes(key: string | Uint8Array): Buffer {
  return createHash('sha256').update(key).digest();
}

/** Days until the key expires, rounded up; 0 or less if it has expired, Infinity if it never does. */
export function daysUntilExpiry({ lastDay }: ApiKey, now: number): number {
  return lastDay === undefined ? Infinity : Math.ceil((Date.parse(lastDay) + DAY_MS - now) / DAY_MS);
}

const hexDigest = ({ digest }: Pick<ApiKey, 'digest'>) => Buffer.from(digest).toString('hex');

/** Formats a key in the form that `parseApiKeys` parses. */
export function formatApiKey({ name, scopes, digest, lastDay }: ApiKey): string {
  const entry = `${name}:${scopes.join('+')}:${hexDigest({ digest })}`;
  return lastDay === undefined ? entry : `${entry}:${lastDay}`;
}

/**
 * @param text entries of the form `name:scope+scope:sha256-of-key`, separated by commas; each may end with `:` and the
 *   last day on which the key is valid
 * @throws RangeError naming the number of the invalid entry and the reason. The entry itself is not repeated, because
 *   it may be a key.
 */
export function parseApiKeys(text: string): ApiKey[] {
  return parseEntries(text.split(',').map((entry, n) => ({ place: `entry ${n + 1}`, entry })));
}

/**
 * @param text one entry per line; `#` starts a comment, and empty lines are ignored
 * @param others keys whose names and hashes the file must not repeat
 * @throws RangeError naming the line and the reason, without the entry
 */
export function parseApiKeyLines(text: string, others: readonly ApiKey[]): ApiKey[] {
  const lines = text
    .split('\n')
    .map((line, n) => ({ place: `line ${n + 1}`, entry: line.replace(/#.*/, '').trim() }));
  return parseEntries(
    lines.filter(({ entry }) => entry !== ''),
    others,
  );
}

function parseEntries(
  entries: readonly { readonly place: string; readonly entry: string }[],
  others: readonly ApiKey[] = [],
): ApiKey[] {
  const keys: ApiKey[] = [];
  const names = new Set(others.map(({ name }) => name));
  const hashes = new Set(others.map(hexDigest));
  for (const { place, entry } of entries) {
    const defect = (what: string) => new RangeError(`${place} ${what}`);
    const [name = '', scopeList = '', hash = '', lastDay, ...more] = entry.trim().split(':');
    if (hash === '' || more.length > 0) throw defect('does not have the form name:scope+scope:sha256-of-key');
    const scopes = scopeList.split('+').map((scope) => SCOPES.find((candidate) => candidate === scope));
    if (!NAME.test(name)) throw defect(`has a name that does not match ${NAME.source}`);
    if (!scopes.every((scope) => scope !== undefined)) {
      throw defect(`has an unknown scope; use ${SCOPES.join(', ')}, several joined by +`);
    }
    if (!SHA256.test(hash))
      throw defect('has a hash that is not 64 hexadecimal digits, the SHA-256 of its key');
    if (lastDay !== undefined && !z.iso.date().safeParse(lastDay).success) {
      throw defect('must end with its last day, a date such as 2027-01-31');
    }
    if (names.has(name)) throw defect('has the same name as an earlier key');
    if (hashes.has(hash.toLowerCase())) throw defect('has the same hash as an earlier key');
    if (names.size >= MAX_API_KEYS) throw defect(`is too many: ${MAX_API_KEYS} keys are allowed`);
    names.add(name);
    hashes.add(hash.toLowerCase());
    keys.push({ name, scopes, digest: Buffer.from(hash, 'hex'), ...(lastDay !== undefined && { lastDay }) });
  }
  return keys;
}
