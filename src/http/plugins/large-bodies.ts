/** How many large bodies are in work at once: each takes memory and a place in the one thread that computes them. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AtelierError } from '../../errors.ts';
import { rejectWithTimeout } from '../errors/time-out.ts';

/** What the main thread computes by itself is no larger. */
export const LARGE_BYTES = 256 * 1024;
export const MAX_LARGE_BODIES = 8;
/** Of a body that is arriving while others wait for its place. */
export const MIN_BYTES_PER_SECOND = 64 * 1024;
/** Before its rate is judged. */
const RATE_AFTER_MS = 2000;

interface Slot {
  readonly reply: FastifyReply;
  readonly startedAt: number;
  readonly bytesBefore: number;
}

/** One that does not say how long it is, or will be, counts as large. */
export function isLargeBody({ headers }: FastifyRequest): boolean {
  return (
    headers['transfer-encoding'] !== undefined ||
    headers['content-encoding'] !== undefined ||
    Number(headers['content-length']) > LARGE_BYTES
  );
}

/**
 * Before a body is read. Where all places are taken, the slowest client that sends fewer than 64 KiB a second loses its
 * place: eight that hardly send would keep everybody out.
 */
export function limitLargeBodies(scope: FastifyInstance): void {
  const active = new Set<Slot>();
  scope.addHook('onRequest', (request, reply, done) => {
    if (!isLargeBody(request)) return done();
    if (active.size >= MAX_LARGE_BODIES && !evictSlowest(active)) {
      throw new AtelierError(
        'overloaded',
        `${MAX_LARGE_BODIES} bodies of more than ${LARGE_BYTES / 1024} KiB are in work already. Try again shortly.`,
      );
    }
    const slot = { reply, startedAt: performance.now(), bytesBefore: request.socket.bytesRead };
    active.add(slot);
    reply.raw.once('close', () => active.delete(slot));
    done();
  });
}

/** @returns whether there was one */
function evictSlowest(active: Set<Slot>): boolean {
  const now = performance.now();
  let slowest: Slot | undefined;
  let lowest = MIN_BYTES_PER_SECOND;
  for (const slot of active) {
    const { startedAt, bytesBefore } = slot;
    const { request } = slot.reply;
    const elapsedMs = now - startedAt;
    if (request.raw.complete || elapsedMs < RATE_AFTER_MS) continue;
    const rate = (request.socket.bytesRead - bytesBefore) / (elapsedMs / 1000);
    if (!(rate < lowest)) continue;
    lowest = rate;
    slowest = slot;
  }
  if (slowest === undefined) return false;
  active.delete(slowest);
  rejectWithTimeout(
    slowest.reply,
    'the body arrived too slowly while others waited',
    `the body arrived at ${Math.round(lowest)} bytes a second while others waited for its place`,
  );
  return true;
}
