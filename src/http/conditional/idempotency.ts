/** Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): repeats create nothing. */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest, preValidationHookHandler } from 'fastify';
import stringify from 'safe-stable-stringify';
import { z } from 'zod';
import type { IdempotencyService } from '../../services/operations/idempotency.ts';
import type { IdempotencyRecord, StoredResponse } from '../../store/idempotency.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route accepts an Idempotency-Key; its handler must call `createIdempotently`. */
    idempotent?: boolean;
  }
  interface FastifyRequest {
    /** Body of an idempotent route before defaults are filled in, because they may differ between releases. */
    rawBody: unknown;
  }
}

const HEADER = 'idempotency-key';
/** A bare key, as is common, or a string of RFC 8941, as in the draft. */
const KEY = /^(?:[!#-~][!-~]{0,254}|"(?:[!#-[\]-~]|\\["\\]){1,255}")$/;
const JSON_TYPE = 'application/json; charset=utf-8';

const headersSchema = z.object({
  [HEADER]: z
    .string()
    .regex(KEY, 'Must be 1 to 255 visible ASCII characters, bare or in quotes with \\ before " and \\.')
    .transform((key) => (key.startsWith('"') ? key.slice(1, -1).replace(/\\(.)/g, '$1') : key))
    .optional()
    .describe(
      'A name of your choice for this request, ideally a new UUID: 1 to 255 visible ASCII characters. A repeated request with the ' +
        'same key within 24 hours receives the first response again, with `Idempotency-Replayed: true`, and creates nothing, ' +
        'even if the connection or the service failed in between. 409 while the first request is in progress; 422 if path or ' +
        'body differ. Errors before anything was created are not stored.',
    ),
});

export function registerIdempotency(app: FastifyInstance): void {
  app.decorateRequest('rawBody', undefined);
  app.addHook('onRoute', (route) => {
    if (!route.config?.idempotent) return;
    const own = route.schema?.headers;
    const headers = own instanceof z.ZodObject ? headersSchema.extend(own.shape) : headersSchema;
    route.schema = { ...route.schema, headers };
    route.preValidation = [keepRawBody, ...[route.preValidation ?? []].flat()];
  });
}

const keepRawBody: preValidationHookHandler = (request, _reply, done) => {
  request.rawBody = request.body;
  done();
};

/** Calls `createIdempotently`, and sends the response. */
export async function respondIdempotently<T>(
  ...[idempotency, request, reply, ...rest]: Parameters<typeof createIdempotently<T>>
): Promise<FastifyReply> {
  return sendStored(reply, await createIdempotently(idempotency, request, reply, ...rest));
}

/** Whether the request repeats an earlier one, as far as its key shows; call it before a large body is read. */
export async function isRepeated(idempotency: IdempotencyService, request: FastifyRequest): Promise<boolean> {
  const key = request.headers[HEADER];
  return typeof key === 'string' && idempotency.isKnown({ caller: request.caller, key });
}

/** Creates a resource; passes the record to the store, to be saved in the same transaction. */
export type Create<T> = (record?: IdempotencyRecord<T>) => Promise<T>;

/**
 * Creates the resource, or finds the response of an earlier request with the same key; then sets `Idempotency-Replayed`.
 * @param toResponse returns the response; its `body` must match the route's schema for `status`
 * @param body identifies the request body; for forms, its fields and the digests of its files
 * @throws AtelierError `request-in-flight`, `idempotency-key-reused`, and the errors of `create`
 */
export async function createIdempotently<T>(
  idempotency: IdempotencyService,
  request: FastifyRequest,
  reply: FastifyReply,
  create: Create<T>,
  toResponse: (created: T) => { status: number; location: string; body: Record<string, unknown> },
  body: unknown = request.rawBody,
): Promise<StoredResponse> {
  const render = (created: T): StoredResponse => {
    const { status, location, body } = toResponse(created);
    const text = reply.serializeInput(body, `${status}`) as string;
    return { status, location, contentType: JSON_TYPE, body: text };
  };
  const key = request.headers[HEADER];
  if (typeof key !== 'string') return render(await create());

  const { method, url, caller } = request;
  const fingerprint = computeFingerprint({ method, url, caller, body });
  const { response: stored, replayed } = await idempotency.respond(
    { caller, key, fingerprint },
    create,
    render,
  );
  if (replayed) reply.header('idempotency-replayed', 'true');
  return stored;
}

export function sendStored(
  reply: FastifyReply,
  { status, location, contentType, body }: StoredResponse,
): FastifyReply {
  if (location !== null) reply.header('location', location);
  return reply.code(status).type(contentType).send(body);
}

/**
 * Computes the fingerprint that distinguishes a request from others with the same key.
 * @param request.url path and query
 * @param request.body bytes, or parsed JSON: the order of keys, white space and the spelling of numbers are ignored
 * @returns SHA-256 in hexadecimal
 */
export function computeFingerprint(request: {
  method: string;
  url: string;
  caller: string;
  body: unknown;
}): string {
  const { method, url, caller, body } = request;
  const isBytes = body instanceof Uint8Array;
  return createHash('sha256')
    .update(`${JSON.stringify([method, url, caller, isBytes ? 'bytes' : 'json'])}\n`)
    .update(isBytes ? body : (stringify(body) ?? ''))
    .digest('hex');
}
