/** Authentication: API keys as bearer tokens, and the scope that each route requires. */
import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../../config.ts';
import { type ApiKey, includesScope, type Scope, sha256Bytes } from '../../domain/api-key.ts';
import { AtelierError } from '../../errors.ts';
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
  }
}

type AuthenticationConfig = Pick<Config, 'keys' | 'publicDocs' | 'publicMetrics' | 'rateLimitPerMinute'>;

const CHALLENGE = 'Bearer realm="atelier"';
const ADVICE = 'Send a key as in: Authorization: Bearer <key>';

/** Fails at startup if a route declares no scope. HEAD has the scope of its GET. */
export function requireRouteScopes(app: FastifyInstance): void {
  app.decorateRequest('caller', 'anonymous');
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

/** Adds no hook if neither keys nor a rate limit are configured. */
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
  const limit = rateLimitPerMinute === null ? undefined : await createRateLimit(app, rateLimitPerMinute);

  app.addHook('onRequest', async function (request, reply) {
    const { scope } = request.routeOptions.config;
    if (scope === 'open') return;
    const token = bearerToken(request);
    const key = token && findKey(keys, token);
    if (key) request.caller = key.name;
    // The limit also counts requests with a wrong key, by address.
    await limit?.call(this, request, reply);
    const required = requiredScope(scope);
    if (keys.length === 0 || required === null) return;
    if (!key) throw unauthenticated(reply, token !== undefined);
    if (!includesScope(key.scopes, required)) throw forbidden(reply, key, required);
  });
}

/** RFC 6750, section 2.1. Node decodes header bytes as Latin-1; this restores them. */
function bearerToken({ headers }: FastifyRequest): Buffer | undefined {
  const token = /^bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1];
  return token === undefined ? undefined : Buffer.from(token, 'latin1');
}

/** Compares with every key and in constant time, so that the duration reveals nothing about the keys. */
function findKey(keys: readonly ApiKey[], token: Uint8Array): ApiKey | undefined {
  const digest = sha256Bytes(token);
  return keys.filter((key) => timingSafeEqual(digest, key.digest))[0];
}

function unauthenticated(reply: FastifyReply, wasSent: boolean): AtelierError {
  reply.header('www-authenticate', wasSent ? `${CHALLENGE}, error="invalid_token"` : CHALLENGE);
  // The message does not repeat the token: it may be a key with a typing mistake.
  const problem = wasSent ? 'The API key is unknown.' : 'This request needs an API key.';
  return new AtelierError('unauthenticated', `${problem} ${ADVICE}.`);
}

function forbidden(reply: FastifyReply, { name, scopes }: ApiKey, required: string): AtelierError {
  reply.header('www-authenticate', `${CHALLENGE}, error="insufficient_scope", scope="${required}"`);
  return new AtelierError(
    'forbidden',
    `This request needs the scope ${required}; the key ${name} has ${scopes.join(', ')}. Use a key with that scope.`,
  );
}
