/** How many large bodies are in work at once: each takes memory and a place in the one thread that computes them. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AtelierError } from '../errors.ts';
import { timeOut } from './time-out.ts';

/** What the main thread computes by itself is no larger. */
const LARGE_BYTES = 256 * 1024;
const MAX_LARGE_BODIES = 8;
/** Of a body that is arriving while others wait for its place. */
const MIN_BYTES_PER_SECOND = 64 * 1024;
/** Before its rate is judged. */
const START_MS = 2000;

interface Arriving {
  readonly reply: FastifyReply;
  readonly since: number;
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
  const inWork = new Set<Arriving>();
  scope.addHook('onRequest', (request, reply, done) => {
    if (!isLargeBody(request)) return done();
    if (inWork.size >= MAX_LARGE_BODIES && !cutSlowest(inWork)) {
      throw new AtelierError(
        'overloaded',
        `${MAX_LARGE_BODIES} bodies of more than ${LARGE_BYTES / 1024} KiB are in work already. Try again shortly.`,
      );
    }
    const place = { reply, since: performance.now(), bytesBefore: request.socket.bytesRead };
    inWork.add(place);
    reply.raw.once('close', () => inWork.delete(place));
    done();
  });
}

/** @returns whether there was one */
function cutSlowest(inWork: Set<Arriving>): boolean {
  const now = performance.now();
  let slowest: Arriving | undefined;
  let lowest = MIN_BYTES_PER_SECOND;
  for (const place of inWork) {
    const { since, bytesBefore } = place;
    const { request } = place.reply;
    const elapsedMs = now - since;
    if (request.raw.complete || elapsedMs < START_MS) continue;
    const rate = (request.socket.bytesRead - bytesBefore) / (elapsedMs / 1000);
    if (!(rate < lowest)) continue;
    lowest = rate;
    slowest = place;
  }
  if (slowest === undefined) return false;
  inWork.delete(slowest);
  timeOut(
    slowest.reply,
    'the body arrived too slowly while others waited',
    `the body arrived at ${Math.round(lowest)} bytes a second while others waited for its place`,
  );
  return true;
}
