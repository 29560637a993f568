/** The client that limits per client count: an API key, or an address without one. */
import { BlockList, isIP } from 'node:net';
import { normalizeIP } from '@fastify/rate-limit';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** An IPv6 client has a whole /64 network. Authentication sets `caller`, so call this after it. */
export function identifyClient({ caller, ip }: Pick<FastifyRequest, 'caller' | 'ip'>): string {
  return caller === 'anonymous' ? normalizeIP(ip) : `key ${caller}`;
}

const thisMachine = new BlockList();
thisMachine.addSubnet('127.0.0.0', 8);
thisMachine.addAddress('::1', 'ipv6');

/** Whether the address is a loopback address, also as IPv4 within IPv6. */
export function isThisMachine(address: string): boolean {
  return thisMachine.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** Limits that a client can exceed, counted by `atelier_client_limits_total`. */
export const CLIENT_LIMITS = ['connections', 'streams', 'bodies', 'unsent', 'rate'] as const;
/** Called for each rejected request and each closed connection. */
export type OnLimit = (limit: (typeof CLIENT_LIMITS)[number]) => void;

/** Calls `release` when the response is sent or its connection closes, also if the connection has closed already. */
export function onceClosed({ raw }: Pick<FastifyReply, 'raw'>, release: () => void): void {
  if (raw.closed) release();
  else raw.once('close', release);
}

/** Counts per client; clients with a count of 0 take no memory. */
export function createClientCounts() {
  const counts = new Map<string, number>();
  let total = 0;
  const get = (client: string) => counts.get(client) ?? 0;
  return {
    get,
    add(client: string, amount: number) {
      total += amount;
      const count = get(client) + amount;
      if (count > 0) counts.set(client, count);
      else counts.delete(client);
    },
    total: () => total,
  };
}
