/** Request ids: taken from the client or generated, and sent with every response. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** The first digits of all ids of this process: a UUID without its last group. A counter takes its place. */
const PROCESS = randomUUID().slice(0, -12);
let generated = 0;

/** Counts, because a random UUID for each request takes as long as finding its route. */
export function generateRequestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const sent = headers['x-request-id'];
  return typeof sent === 'string' && REQUEST_ID.test(sent)
    ? sent
    : PROCESS + (++generated).toString(16).padStart(12, '0');
}

export function sendRequestId(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
}
