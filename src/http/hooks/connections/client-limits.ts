/** Limits of connections and of streams of events per client. */
import { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { AtelierError } from '../../../errors.ts';
import { createClientCounts, identifyClient, isThisMachine, type OnLimit, onceClosed } from './client.ts';

/** A quarter of all connections. */
export const MAX_CLIENT_CONNECTIONS = 1000;
export const MAX_CLIENT_STREAMS = 500;

/**
 * Closes connections of an address beyond its limit. Connections from this machine are exempt, because a proxy on it may
 * have opened them. Do not call this behind a trusted proxy, whose address stands for all clients.
 */
export function limitClientConnections(app: FastifyInstance, max: number, onLimit: OnLimit): void {
  const connections = createClientCounts();
  app.server.on('connection', (socket) => {
    const { remoteAddress } = socket;
    // Undefined if the client has already closed the connection.
    if (remoteAddress === undefined || isThisMachine(remoteAddress)) return;
    const client = normalizeIP(remoteAddress);
    if (connections.get(client) >= max) {
      onLimit('connections');
      socket.destroy();
      return;
    }
    connections.add(client, 1);
    socket.once('close', () => connections.add(client, -1));
  });
}

/**
 * Counts a response that stays open, until its end; clients without a key on this machine are exempt.
 * @throws AtelierError `overloaded` beyond the limit
 */
export type CountStream = (reply: FastifyReply) => void;

export function createStreamLimit(max: number, onLimit: OnLimit): CountStream {
  const streams = createClientCounts();
  return (reply) => {
    const { request } = reply;
    if (request.caller === 'anonymous' && isThisMachine(request.ip)) return;
    const client = identifyClient(request);
    if (streams.get(client) >= max) {
      onLimit('streams');
      throw new AtelierError(
        'overloaded',
        `You follow ${max} streams of events, the limit per client. Close one, then try again.`,
      );
    }
    streams.add(client, 1);
    onceClosed(reply, () => streams.add(client, -1));
  };
}
