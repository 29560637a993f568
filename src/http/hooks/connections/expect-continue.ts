/** `Expect: 100-continue`: a body is called for only if the headers were accepted (RFC 9110, section 10.1.1). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** Requests whose client is waiting for `100 Continue` before it sends the body. */
const waiting = new WeakSet<IncomingMessage>();

export const awaitsContinue = (request: IncomingMessage): boolean => waiting.has(request);

/** If the body arrives anyway, it is dropped; reading it must not send `100 Continue`. */
export function declineContinue(request: IncomingMessage): void {
  waiting.delete(request);
}

/**
 * Sends `100 Continue` when something begins to read the body. Until then the response would close the connection: a
 * client that receives it need not send its body, so the next bytes may belong to either.
 */
export function sendContinueOnRead(app: FastifyInstance): void {
  app.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (hasBody(request)) {
      waiting.add(request);
      response.setHeader('connection', 'close');
      // Node also resumes a request whose body is unread after its response.
      request.once('resume', () => {
        if (!waiting.delete(request) || response.headersSent) return;
        response.removeHeader('connection');
        response.writeContinue();
      });
    }
    app.server.emit('request', request, response);
  });
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0;
}
