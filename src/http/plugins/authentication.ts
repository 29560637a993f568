/** Who may call what, and how often. */
import { timingSafeEqual } from 'node:crypto';
import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../../config.ts';
import { type ApiKey, includesScope, sha256Bytes } from '../../domain/api-key.ts';
import { AtelierError } from '../../errors.ts';
import type { RouteScope } from './route-scopes.ts';

export type AuthenticationConfig = Pick<
  Config,
  'keys' | 'publicDocs' | 'publicMetrics' | 'rateLimitPerMinute'
>;

const CHALLENGE = 'Bearer realm="atelier"';
const HOW_TO_SEND_A_KEY = 'Send one as in: Authorization: Bearer <key>';

/** Before bodies are read and places are taken. Without keys and limit there is nothing that a request would pass. */
export async function registerAuthentication(
  app: FastifyInstance,
  config: AuthenticationConfig,
): Promise<void> {
  const { keys, publicDocs, publicMetrics, rateLimitPerMinute } = config;
  if (keys.length === 0 && rateLimitPerMinute === null) return;
  const requiredScope = (scope: Exclude<RouteScope, 'open'>) => {
    if (scope === 'docs') return publicDocs ? null : 'predict';
    if (scope === 'metrics') return publicMetrics ? null : 'predict';
    return scope;
  };
  const countRequest = rateLimitPerMinute === null ? undefined : await createLimit(app, rateLimitPerMinute);

  app.addHook('onRequest', async function (request, reply) {
    const { scope } = request.routeOptions.config;
    if (scope === 'open') return;
    const sent = bearerToken(request);
    const key = sent && findKey(keys, sent);
    if (key) request.caller = key.name;
    // Whoever sends a wrong key is counted too, by address.
    await countRequest?.call(this, request, reply);
    const required = requiredScope(scope);
    if (keys.length === 0 || required === null) return;
    if (!key) throw unauthenticated(reply, sent !== undefined);
    if (!includesScope(key.scopes, required)) throw forbidden(reply, key, required);
  });
}

/** RFC 6750, section 2.1; the bytes that were sent, of which Node makes Latin-1. */
function bearerToken({ headers }: FastifyRequest): Buffer | undefined {
  const sent = /^bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1];
  return sent === undefined ? undefined : Buffer.from(sent, 'latin1');
}

/** With every key, and all of their hashes, so that the time tells neither which it was nor how much of it was right. */
function findKey(keys: readonly ApiKey[], sent: Uint8Array): ApiKey | undefined {
  const digest = sha256Bytes(sent);
  return keys.filter((key) => timingSafeEqual(digest, key.digest))[0];
}

function unauthenticated(reply: FastifyReply, wasSent: boolean): AtelierError {
  reply.header('www-authenticate', wasSent ? `${CHALLENGE}, error="invalid_token"` : CHALLENGE);
  // Nothing of what was sent: it is nearly a key.
  const what = wasSent ? 'The key that was sent is none of those known here.' : 'This needs a key.';
  return new AtelierError('unauthenticated', `${what} ${HOW_TO_SEND_A_KEY}.`);
}

function forbidden(reply: FastifyReply, { name, scopes }: ApiKey, required: string): AtelierError {
  reply.header('www-authenticate', `${CHALLENGE}, error="insufficient_scope", scope="${required}"`);
  return new AtelierError(
    'forbidden',
    `This needs the scope ${required}; the key ${name} has ${scopes.join(', ')}. Use a key that has it.`,
  );
}

async function createLimit(app: FastifyInstance, max: number) {
  await app.register(rateLimit, {
    global: false,
    max,
    timeWindow: 60_000,
    enableDraftSpec: true,
    keyGenerator: ({ caller, ip }) => (caller === 'anonymous' ? normalizeIP(ip) : `key ${caller}`),
    errorResponseBuilder({ caller }, { ttl }) {
      const retryAfterSeconds = Math.ceil(ttl / 1000);
      const whose = caller === 'anonymous' ? 'your address' : `the key ${caller}`;
      const message = `${max} requests a minute are taken from ${whose}. Go on in ${retryAfterSeconds} s.`;
      return new AtelierError('rate-limited', message, { retryAfterSeconds });
    },
  });
  return app.rateLimit();
}
