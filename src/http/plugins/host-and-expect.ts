/** What Node would refuse with an empty answer. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { AtelierError } from '../../errors.ts';

export function validateHostAndExpect(app: FastifyInstance): void {
  // Node knows 100-continue; with a listener the others are left to us.
  app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    app.server.emit('request', request, response);
  });
  app.addHook('onRequest', ({ headers, raw }, _reply, done) => {
    // RFC 9112, section 3.2: a request of HTTP/1.1 has one, if an empty one.
    if (headers.host === undefined && raw.httpVersion === '1.1') {
      throw new AtelierError('malformed-request', 'The request has no Host header, which HTTP/1.1 demands.');
    }
    const hosts = countHostHeaders(raw.rawHeaders);
    if (hosts > 1) {
      throw new AtelierError('malformed-request', `The request has ${hosts} Host headers; allowed: one.`);
    }
    const { expect } = headers;
    if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
      const detail = 'allowed: 100-continue, or no such header';
      throw new AtelierError('expectation-failed', `Expect: ${expect} is not done here; ${detail}.`, {
        details: [{ parameter: 'Expect', detail }],
      });
    }
    done();
  });
}

/** Of names and values in turn, as Node keeps them. */
function countHostHeaders(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const name = rawHeaders[n]!;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts;
}
