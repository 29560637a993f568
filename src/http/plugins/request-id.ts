/** Request ids: taken from the client or generated, and sent with every response. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** Distinguishes the ids of this process from those of others. */
const PROCESS = randomBytes(12).toString('hex');
let generated = 0;

/** Counts, because a random id for each request takes longer than finding its route. */
export function generateRequestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const sent = headers['x-request-id'];
  return typeof sent === 'string' && REQUEST_ID.test(sent) ? sent : `${PROCESS}-${++generated}`;
}

export function sendRequestId(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
}
