/** Address under which the client of a request reaches the service, for commands in documents. */
import type { FastifyRequest } from 'fastify';

/** A name, an IPv4 address, or an IPv6 address in brackets. */
const HOST = /^([a-z0-9_.-]+|\[[0-9a-f:.]+\])$/i;

/**
 * Scheme, host and port, such as `http://localhost:3000`, as sent by the client or by a trusted proxy.
 * @returns an address without characters that a shell interprets, whatever the headers contain
 */
export function serviceAddress({ protocol, hostname, port, socket }: FastifyRequest): string {
  if (!HOST.test(hostname) || !/^https?$/.test(protocol)) return `http://localhost:${socket.localPort}`;
  return `${protocol}://${hostname}${Number.isInteger(port) ? `:${port}` : ''}`;
}
