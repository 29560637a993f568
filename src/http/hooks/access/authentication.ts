/** Authentication: API keys as bearer tokens, and the scope that each route requires. */
import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../../../config/read.ts';
import {
  type ApiKey,
  daysUntilExpiry,
  includesScope,
  type Scope,
  sha256Bytes,
} from '../../../domain/api-key.ts';
import type { TrainingRequest } from '../../../domain/jobs/request.ts';
import { AtelierError } from '../../../errors.ts';
import type { ApiKeyService, KeyInForce } from '../../../services/keys/in-force.ts';
import type { LeaseSource } from './leased-calls.ts';
import { createRateLimit } from './rate-limit.ts';

/** The configuration determines whether `docs` and `metrics` need a key. */
export type RouteScope = Scope | 'open' | 'docs' | 'metrics';

declare module 'fastify' {
  interface FastifyContextConfig {
    scope: RouteScope;
  }
  interface FastifyInstance {
    /** Scope of all routes of an instance, for plugins that register routes without a config of their own. */
    readonly routeScope?: RouteScope;
  }
  interface FastifyRequest {
    /** Name of the valid key that was sent, or `anonymous`; always `anonymous` on open routes. */
    caller: string;
    /** Aborts when the key of the caller is removed or expires; null for anonymous callers. */
    revoked: AbortSignal | null;
    /** The key of the caller if the route requires one; otherwise null. */
    apiKey: ApiKey | null;
  }
}

type AuthenticationConfig = Pick<
  Config,
  'requiresKey' | 'publicDocs' | 'publicMetrics' | 'rateLimitPerMinute'
>;

const CHALLENGE = 'Bearer realm="atelier"';
const ADVICE = 'Send a key as in: Authorization: Bearer <key>';

/** Fails at startup if a route declares no scope. HEAD has the scope of its GET. */
export function requireRouteScopes(app: FastifyInstance): void {
  app.decorateRequest('caller', 'anonymous');
  app.decorateRequest('revoked', null);
  app.decorateRequest('apiKey', null);
  app.addHook('onRoute', function (route) {
    // Browsers send preflight requests without a key.
    const scope = route.config?.scope ?? this.routeScope ?? (route.method === 'OPTIONS' ? 'open' : undefined);
    if (scope === undefined) {
      throw new TypeError(
        `${route.method} ${route.url} declares no scope: add config: { scope: … } to its options.`,
      );
    }
    route.config = { ...route.config, scope };
  });
}

/** Adds no hook if requests need no key and no rate limit is configured. */
export async function registerAuthentication(
  app: FastifyInstance,
  config: AuthenticationConfig,
  apiKeys: Pick<ApiKeyService, 'keys'>,
  leases?: LeaseSource,
): Promise<void> {
  const { requiresKey, publicDocs, publicMetrics, rateLimitPerMinute } = config;
  if (!requiresKey && rateLimitPerMinute === null) return;
  const requiredScope = (scope: Exclude<RouteScope, 'open'>) => {
    if (scope === 'docs') return publicDocs ? null : 'predict';
    if (scope === 'metrics') return publicMetrics ? null : 'predict';
    return scope;
  };
  const limit =
    rateLimitPerMinute === null ? undefined : await createRateLimit(app, rateLimitPerMinute, leases);

  app.addHook('onRequest', async function (request, reply) {
    const { scope } = request.routeOptions.config;
    if (scope === 'open') return;
    const token = bearerToken(request);
    const found = token && findKey(apiKeys.keys(), token);
    const isExpired = found !== undefined && daysUntilExpiry(found.key, Date.now()) <= 0;
    if (found && !isExpired) {
      request.caller = found.key.name;
      request.revoked = found.revoked;
    }
    // The limit also counts requests with a wrong key, by address.
    await limit?.call(this, request, reply);
    const required = requiredScope(scope);
    if (!requiresKey || required === null) return;
    if (!found) throw unauthenticated(reply, token !== undefined);
    if (isExpired) throw expired(reply, found.key);
    if (!includesScope(found.key.scopes, required)) throw forbidden(reply, found.key, required);
    request.apiKey = found.key;
  });
}

/** RFC 6750, section 2.1. Node decodes header bytes as Latin-1; this restores them. */
function bearerToken({ headers }: FastifyRequest): Buffer | undefined {
  const token = /^bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1];
  return token === undefined ? undefined : Buffer.from(token, 'latin1');
}

/** Compares with every key and in constant time, so that the duration reveals nothing about the keys. */
function findKey(keys: Iterable<KeyInForce>, token: Uint8Array): KeyInForce | undefined {
  const digest = sha256Bytes(token);
  return Array.from(keys).filter(({ key }) => timingSafeEqual(digest, key.digest))[0];
}

function unauthenticated(reply: FastifyReply, wasSent: boolean): AtelierError {
  reply.header('www-authenticate', wasSent ? `${CHALLENGE}, error="invalid_token"` : CHALLENGE);
  // The message does not repeat the token: it may be a key with a typing mistake.
  const problem = wasSent ? 'The API key is unknown.' : 'This request needs an API key.';
  return new AtelierError('unauthenticated', `${problem} ${ADVICE}.`);
}

/** Only the owner of the key gets this message: its hash was found. */
function expired(reply: FastifyReply, { name, lastDay }: ApiKey): AtelierError {
  reply.header(
    'www-authenticate',
    `${CHALLENGE}, error="invalid_token", error_description="The key has expired"`,
  );
  return new AtelierError(
    'unauthenticated',
    `The API key ${name} has expired: its last day was ${lastDay} (UTC). Ask the operator for a new one.`,
  );
}

/**
 * Moving the champion is reserved for keys that may promote.
 * @throws AtelierError `forbidden`
 */
export function requirePublicationScope(
  { apiKey }: FastifyRequest,
  reply: FastifyReply,
  { promote }: TrainingRequest['publish'],
): void {
  if (promote === 'never' || !apiKey || includesScope(apiKey.scopes, 'promote')) return;
  throw forbidden(reply, apiKey, 'promote');
}

function forbidden(reply: FastifyReply, { name, scopes }: ApiKey, required: string): AtelierError {
  reply.header('www-authenticate', `${CHALLENGE}, error="insufficient_scope", scope="${required}"`);
  return new AtelierError(
    'forbidden',
    `This request needs the scope ${required}; the key ${name} has ${scopes.join(', ')}. Use a key with that scope.`,
  );
}
