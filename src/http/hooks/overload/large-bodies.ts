/** Concurrency limit of large bodies, which take memory and occupy a worker thread. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createWorkTimes } from '../../../concurrency/work-times.ts';
import { AtelierError } from '../../../errors.ts';
import { type OnTimeout, rejectWithTimeout } from '../../errors/client-error.ts';
import { clientOf, type OnLimit } from '../connections/client.ts';

/** Smaller prediction requests may be computed on the main thread. */
export const LARGE_BODY_BYTES = 256 * 1024;
export const MAX_LARGE_BODIES = 8;
/** A client alone leaves two slots to others. */
export const MAX_CLIENT_LARGE_BODIES = 6;
/** A slower body loses its slot if another request needs one. */
export const MIN_LARGE_BODY_BYTES_PER_SECOND = 64 * 1024;
/** Minimum time over which the rate of a body is measured. */
const RATE_AFTER_MS = 2000;

interface Slot {
  readonly client: string;
  readonly reply: FastifyReply;
  readonly startedAt: number;
  readonly bytesBefore: number;
}

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
export function limitLargeBodies(scope: FastifyInstance, onTimeout: OnTimeout, onLimit: OnLimit): void {
  const slots = new Set<Slot>();
  const times = createWorkTimes();
  const overloaded = (message: string) =>
    new AtelierError('overloaded', message, { retryAfterSeconds: times.secondsUntilNext() });
  function takeSlot(taken: readonly Slot[], limit: number): boolean {
    if (taken.length < limit) return true;
    const slowest = evictSlowest(taken, onTimeout);
    return slowest !== undefined && slots.delete(slowest);
  }

  scope.addHook('onRequest', (request, reply, done) => {
    if (!isLargeBody(request)) return done();
    const client = clientOf(request);
    const kind = `bodies over ${LARGE_BODY_BYTES / 1024} KiB`;
    if (
      !takeSlot(
        [...slots].filter((slot) => slot.client === client),
        MAX_CLIENT_LARGE_BODIES,
      )
    ) {
      onLimit('bodies');
      const problem = `You are sending ${MAX_CLIENT_LARGE_BODIES} ${kind} already, the limit per client.`;
      throw overloaded(`${problem} Try again when one has been processed.`);
    }
    if (!takeSlot([...slots], MAX_LARGE_BODIES)) {
      throw overloaded(`All ${MAX_LARGE_BODIES} slots for ${kind} are taken. Try again shortly.`);
    }
    const slot = { client, reply, startedAt: times.start(), bytesBefore: request.socket.bytesRead };
    slots.add(slot);
    reply.raw.once('close', () => {
      times.end(slot.startedAt);
      slots.delete(slot);
    });
    done();
  });
}

/** @returns the slot that became free, if any */
function evictSlowest(slots: readonly Slot[], onTimeout: OnTimeout): Slot | undefined {
  const now = performance.now();
  let slowest: Slot | undefined;
  let lowestRate = MIN_LARGE_BODY_BYTES_PER_SECOND;
  for (const slot of slots) {
    const { request } = slot.reply;
    const elapsedMs = now - slot.startedAt;
    if (request.raw.complete || elapsedMs < RATE_AFTER_MS) continue;
    const rate = (request.socket.bytesRead - slot.bytesBefore) / (elapsedMs / 1000);
    if (!(rate < lowestRate)) continue;
    lowestRate = rate;
    slowest = slot;
  }
  if (slowest === undefined) return undefined;
  rejectWithTimeout(
    slowest.reply,
    'body too slow, slot released',
    `the body arrived at ${Math.round(lowestRate)} bytes per second while another request needed its slot`,
    onTimeout,
  );
  return slowest;
}
