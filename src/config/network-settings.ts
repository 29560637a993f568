/** Hosts, origins and proxies as the configuration names them. */
import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');
const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '[::1]'];
const MAX_HOPS = 32;

export const HOSTS_RULE =
  'must be a list of host names or addresses such as atelier.example or 192.0.2.7, without scheme and port';
/** First segments of the paths of the service. A base path must not hide them. */
const OWN_PATHS = [
  'v1',
  'v2',
  'docs',
  'openapi.json',
  'llms.txt',
  'llms-full.txt',
  'README.md',
  'page.js',
  'page-screens.js',
  'page.css',
  'health',
  'metrics',
  'ping',
  'version',
  'invocations',
];

export const BASE_PATH_RULE = `must be a path such as /atelier, without a slash at its end, that does not begin with ${OWN_PATHS.map((path) => `/${path}`).join(', ')}`;
export const RANGES_RULE = 'must be a list of addresses and networks such as 10.0.0.0/8 or fd00::/8';
export const TRUST_PROXY_RULE = `must be a list of addresses and networks such as 127.0.0.1 or 10.0.0.0/8, or a number of proxies from 1 to ${MAX_HOPS}`;

/** Entries of a comma-separated list, without empty ones. */
export function splitList(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === 'localhost';
  return loopback.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

/** Scheme, host and port as browsers write them; any other spelling would never equal an Origin header. */
export function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

export function isHost(text: string): boolean {
  return (
    isIP(text) > 0 ||
    isIP(text.replace(/^\[(.*)\]$/, '$1')) === 6 ||
    /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i.test(text)
  );
}

/** A host as browsers write it in a Host header: lower case, IPv6 in brackets and in its short form. */
function toHostHeader(host: string): string {
  const bracketed = isIP(host) === 6 ? `[${host}]` : host;
  const url = `http://${bracketed}`;
  // A link-local address with its zone is not valid in a URL.
  return URL.canParse(url) ? new URL(url).hostname : bracketed.toLowerCase();
}

/**
 * Hosts under which clients without keys can reach the service. Browsers write the name of the visited page into the
 * Host header, so a foreign name that resolves to this machine (DNS rebinding) is not among them.
 * @param given ALLOWED_HOSTS
 * @returns null if every host is accepted: the operator opened the service to other machines and names no hosts
 */
export function hostsWithoutKeys(host: string, given: readonly string[]): readonly string[] | null {
  if (!isLoopback(host) && given.length === 0) return null;
  return Object.freeze([...new Set([...LOOPBACK_HOSTS, ...[host, ...given].map(toHostHeader)])]);
}

/** Segments of characters that need no escape, so that clients and proxies spell the path in one way. */
export function isBasePath(path: string): boolean {
  const [empty, ...segments] = path.split('/');
  return (
    empty === '' &&
    !OWN_PATHS.includes(segments[0] ?? '') &&
    segments.every((segment) => /^[\w.~-]+$/.test(segment) && !/^\.+$/.test(segment))
  );
}

function isHopCount(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_HOPS;
}

/** An address, or a network such as `10.0.0.0/8`. */
export function isNetwork(text: string): boolean {
  const [address, prefix, ...rest] = text.split('/');
  const family = isIP(address!);
  if (family === 0 || address!.includes('%') || rest.length > 0) return false;
  return (
    prefix === undefined ||
    (/^\d+$/.test(prefix) && Number(prefix) >= 1 && Number(prefix) <= (family === 6 ? 128 : 32))
  );
}

export function isTrustProxy(entries: readonly string[]): boolean {
  return (entries.length === 1 && isHopCount(entries[0]!)) || entries.every(isNetwork);
}

/** @returns addresses and networks of trusted proxies, or the number of proxies, or null without any */
export function parseTrustProxy(entries: readonly string[]): readonly string[] | number | null {
  if (entries.length === 0) return null;
  return isHopCount(entries[0]!) ? Number(entries[0]) : Object.freeze([...entries]);
}
