/** Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a request that is repeated creates nothing a second time. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { IdempotencyService } from '../../services/idempotency.ts';
import type { IdempotencyRecord, StoredResponse } from '../../store/idempotency.ts';
import { computeFingerprint } from './fingerprint.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Takes an Idempotency-Key: the handler answers by `answerOnce`. */
    idempotent?: boolean;
  }
  interface FastifyRequest {
    /**
     * Of an idempotent route, the body before the schema filled in defaults, which another version may choose otherwise.
     * A handler that reads its body by itself sets it to what tells one body from another, as the digests of its parts.
     */
    fingerprintSource: unknown;
  }
}

const HEADER = 'idempotency-key';
/** Bare by habit, or a string of RFC 8941, as the draft has it. */
const KEY = /^(?:[!#-~][!-~]{0,254}|"(?:[!#-[\]-~]|\\["\\]){1,255}")$/;
const JSON_TYPE = 'application/json; charset=utf-8';

const headersSchema = z.object({
  [HEADER]: z
    .string()
    .regex(KEY, 'must be 1 to 255 visible ASCII characters, bare or in quotes with \\ before " and \\')
    .transform((key) => (key.startsWith('"') ? key.slice(1, -1).replace(/\\(.)/g, '$1') : key))
    .optional()
    .describe(
      'A name of your choice for this request, best a new UUID; any 1 to 255 visible ASCII characters are taken. Who repeats the request with it within 24 hours gets the ' +
        'first answer again, with `Idempotency-Replayed: true`, and nothing is created a second time, whatever happened ' +
        'to the connection or the service. 409 while the first is not answered; 422 if path or body differ. An error that ' +
        'came before anything was created is not kept.',
    ),
});

/** Before the routes, and before their documentation. */
export function registerIdempotency(app: FastifyInstance): void {
  app.decorateRequest('fingerprintSource', undefined);
  app.addHook('onRoute', (route) => {
    if (route.config?.idempotent) route.schema = { ...route.schema, headers: headersSchema };
  });
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.routeOptions.config.idempotent) request.fingerprintSource = request.body;
    done();
  });
}

/**
 * Creates, unless an earlier request of the same key did, and sends the answer. Without a key it always creates.
 * @param create hands `keep` down to the transaction
 * @param toResponse what is sent; `body` fits the route's schema for the `status`
 * @throws AtelierError `request-in-flight`, `idempotency-key-reused`, and whatever `create` throws
 */
export async function respondIdempotently<T>(
  once: IdempotencyService,
  request: FastifyRequest,
  reply: FastifyReply,
  create: (keep?: IdempotencyRecord<T>) => Promise<T>,
  toResponse: (created: T) => { status: number; location: string; body: Record<string, unknown> },
): Promise<FastifyReply> {
  const render = (created: T): StoredResponse => {
    const { status, location, body } = toResponse(created);
    const text = reply.serializeInput(body, `${status}`) as string;
    return { status, location, contentType: JSON_TYPE, body: text };
  };
  const key = request.headers[HEADER];
  if (typeof key !== 'string') return send(reply, render(await create()));

  const { method, url, caller, fingerprintSource: body } = request;
  const fingerprint = computeFingerprint({ method, url, caller, body });
  const { answer: first, replayed } = await once.respond({ caller, key, fingerprint }, create, render);
  if (replayed) reply.header('idempotency-replayed', 'true');
  return send(reply, first);
}

function send(reply: FastifyReply, { status, location, contentType, body }: StoredResponse): FastifyReply {
  if (location !== null) reply.header('location', location);
  return reply.code(status).type(contentType).send(body);
}
