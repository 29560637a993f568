/** Content type of the other protocols' JSON: without a charset, because KServe's client compares it byte by byte. */
import type { FastifyInstance, FastifyReply, onSendHookHandler } from 'fastify';
import { JSON_TYPE } from '../conditional/prepared.ts';
import { PROTOCOL_ERRORS } from '../errors/protocol-errors.ts';

/** Fastify adds the charset to every JSON text, although RFC 8259 defines none. */
export function sendPlainJson(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (route.config?.errorFormat === undefined) return;
    route.onSend = [removeCharset, ...[route.onSend ?? []].flat()];
  });
}

const removeCharset: onSendHookHandler<unknown> = (_request, reply, payload, done) => {
  if (reply.getHeader('content-type') === JSON_TYPE) reply.header('content-type', PROTOCOL_ERRORS.type);
  done(null, payload);
};

/** Sends JSON that is rendered already, without validating it. */
export const sendRendered = (reply: FastifyReply, json: string): FastifyReply =>
  reply.type(PROTOCOL_ERRORS.type).send(Buffer.from(json));
