/** Concurrency limit of large bodies: each takes memory and occupies a worker thread. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createWorkTimes } from '../../../concurrency/work-times.ts';
import { AtelierError } from '../../../errors.ts';
import { identifyClient, type OnLimit } from '../connections/client.ts';
import type { SlowClients } from '../connections/slow-clients.ts';

/** Smaller prediction requests may be computed on the main thread. */
export const LARGE_BODY_BYTES = 256 * 1024;
export const MAX_LARGE_BODIES = 8;
/** A client alone leaves two slots to others. */
export const MAX_CLIENT_LARGE_BODIES = 6;
/** A slower body loses its slot if another request needs one. */
export const MIN_LARGE_BODY_BYTES_PER_SECOND = 64 * 1024;
/** A body of unknown length, or unknown inflated length, counts as large. */
export function isLargeBody({ headers }: FastifyRequest): boolean {
  return (
    headers['transfer-encoding'] !== undefined ||
    headers['content-encoding'] !== undefined ||
    Number(headers['content-length']) > LARGE_BODY_BYTES
  );
}

/**
 * Takes a slot before the body is read. When all slots, or all of a client, are taken, the slowest sender below the
 * minimum rate loses its slot; otherwise eight clients that hardly send could block all others.
 */
export function limitLargeBodies(scope: FastifyInstance, slowClients: SlowClients, onLimit: OnLimit): void {
  /** The clients whose requests have a slot. */
  const slots = new Map<FastifyReply, string>();
  const times = createWorkTimes();
  const overloaded = (message: string) =>
    new AtelierError('overloaded', message, { retryAfterSeconds: times.secondsUntilNext() });
  function hasFreeSlot(taken: readonly FastifyReply[], limit: number): boolean {
    if (taken.length < limit) return true;
    const ended = slowClients.endSlowest(taken, MIN_LARGE_BODY_BYTES_PER_SECOND);
    return ended !== undefined && slots.delete(ended);
  }

  scope.addHook('onRequest', (request, reply, done) => {
    if (!isLargeBody(request)) return done();
    const client = identifyClient(request);
    const ownSlots = [...slots.keys()].filter((other) => slots.get(other) === client);
    const kind = `bodies over ${LARGE_BODY_BYTES / 1024} KiB`;
    if (!hasFreeSlot(ownSlots, MAX_CLIENT_LARGE_BODIES)) {
      onLimit('bodies');
      const problem = `You are sending ${MAX_CLIENT_LARGE_BODIES} ${kind} already, the limit per client.`;
      throw overloaded(`${problem} Try again when one has been processed.`);
    }
    if (!hasFreeSlot([...slots.keys()], MAX_LARGE_BODIES)) {
      throw overloaded(`All ${MAX_LARGE_BODIES} slots for ${kind} are taken. Try again shortly.`);
    }
    const startedAt = times.start();
    slots.set(reply, client);
    reply.raw.once('close', () => {
      times.end(startedAt);
      slots.delete(reply);
    });
    done();
  });
}
