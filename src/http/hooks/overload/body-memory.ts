/** Memory of large bodies: reserved before a body is read, until its response has been sent. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { MemoryLedger } from '../../../services/memory/ledger.ts';
import { parseMediaType } from '../../bodies/raw.ts';
import { isLargeBody } from './large-bodies.ts';

/** Measured: bytes per byte of a body. Text is held as bytes, as a string and as numbers. */
const BINARY_FACTOR = 1.5;
const TEXT_FACTOR = 4.5;
/** The best that deflate can do: https://zlib.net/zlib_tech.html */
const MAX_DEFLATE_RATIO = 1032;

/**
 * Call after the hooks that reject a request without its body.
 * @param formBytes limit of a form, if it is not the limit of its route
 */
export function reserveBodyMemory(scope: FastifyInstance, memory: MemoryLedger, formBytes?: number): void {
  scope.addHook('onRequest', (request, reply, done) => {
    if (!isLargeBody(request)) return done();
    const bytes = expectedBytes(request, formBytes ?? request.routeOptions.bodyLimit);
    const what = `A body of up to ${bytes.toLocaleString('en')} bytes`;
    const reservation = memory.reserve(bytes * factor(request), { what, advice: 'Send less at once.' });
    reply.raw.once('close', reservation.release);
    done();
  });
}

/** Most bytes that a body can have; one of unknown length may be as large as its route allows. */
function expectedBytes({ headers }: FastifyRequest, limit: number): number {
  if (headers['transfer-encoding'] !== undefined) return limit;
  const ratio = headers['content-encoding'] === undefined ? 1 : MAX_DEFLATE_RATIO;
  return Math.min(Number(headers['content-length']) * ratio, limit);
}

function factor({ headers }: FastifyRequest): number {
  const type = parseMediaType(headers['content-type']);
  const isBinary = /^(image\/|multipart\/|application\/(octet-stream|x-npy))/.test(type);
  return isBinary ? BINARY_FACTOR : TEXT_FACTOR;
}
