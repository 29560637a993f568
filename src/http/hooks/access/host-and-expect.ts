/** Validates the Host and Expect headers. Node would reject them without a response body. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { AtelierError } from '../../../errors.ts';

export function validateHostAndExpect(app: FastifyInstance): void {
  // connections/expect-continue.ts handles 100-continue; this listener passes requests with other expectations to the hook below.
  app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    app.server.emit('request', request, response);
  });
  app.addHook('onRequest', ({ headers, raw }, _reply, done) => {
    // RFC 9112, section 3.2: an HTTP/1.1 request has a Host header, possibly an empty one.
    if (headers.host === undefined && raw.httpVersion === '1.1') {
      throw new AtelierError('malformed-request', 'The request has no Host header. HTTP/1.1 requires one.');
    }
    const hosts = countHostHeaders(raw.rawHeaders);
    if (hosts > 1) {
      throw new AtelierError('malformed-request', `The request has ${hosts} Host headers. Send one.`);
    }
    const { expect } = headers;
    if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
      throw new AtelierError(
        'expectation-failed',
        `Expect: ${expect} is not supported. Send Expect: 100-continue or no Expect header.`,
        { details: [{ parameter: 'Expect', detail: 'Must be 100-continue, or left out.' }] },
      );
    }
    done();
  });
}

/** @param rawHeaders names and values alternate */
function countHostHeaders(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const name = rawHeaders[n]!;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts;
}
