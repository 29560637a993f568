/** Access without keys: rejects foreign hosts, pages of other origins, and proxies. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Config } from '../../../config/read.ts';
import { AtelierError } from '../../../errors.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Whether pages of other origins are rejected, links from them included, or the query parameter with which they are:
     * for reads that count a look, store a calibration, or evaluate or train. Default: true for POST, PUT, PATCH and DELETE.
     */
    sameOrigin?: boolean | 'calibrated';
  }
}

type AnonymousAccessConfig = Pick<Config, 'requiresKey' | 'allowAnonymous' | 'allowedHosts' | 'corsOrigins'>;

/** Headers that only proxies add. */
const FORWARDING_HEADERS = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'via',
];
const WRITING_METHODS = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
/** Maximum number of spellings of allowed hosts, with their ports, that are recognized without parsing. */
const MAX_KNOWN_HOSTS = 64;

/**
 * With keys there is nothing to check: a page of another origin cannot send one.
 * Probes and Prometheus reach a service by its address, so health and metrics accept every host.
 */
export function restrictAnonymousAccess(app: FastifyInstance, config: AnonymousAccessConfig): void {
  const { requiresKey, allowAnonymous, allowedHosts, corsOrigins } = config;
  if (requiresKey) return;
  const acceptsHost = allowedHosts === null ? () => true : createHostCheck(allowedHosts);

  app.addHook('onRequest', (request, _reply, done) => {
    const { headers, method = '' } = request.raw;
    if (!allowAnonymous) {
      const header = FORWARDING_HEADERS.find((name) => headers[name] !== undefined);
      if (header !== undefined && request.routeOptions.config.scope !== 'open') throw keysRequired(header);
    }
    // Every browser sends a Host header; HTTP/1.0 clients may omit it.
    if (headers.host !== undefined && !acceptsHost(headers.host)) {
      const { scope } = request.routeOptions.config;
      if (scope !== 'open' && scope !== 'metrics') throw hostNotAllowed(headers.host, allowedHosts!);
    }
    const { sameOrigin = WRITING_METHODS.has(method) } = request.routeOptions.config;
    const isChecked = typeof sameOrigin === 'string' ? sameOrigin in (request.query as object) : sameOrigin;
    if (isChecked && isCrossSite(request, corsOrigins)) throw crossSite(request);
    done();
  });
}

/** @param hosts in lower case, without ports */
function createHostCheck(hosts: readonly string[]): (host: string) => boolean {
  const known = new Set<string>();
  return (host) => {
    if (known.has(host)) return true;
    if (!hosts.includes(host.toLowerCase().replace(/:\d{0,5}$/, ''))) return false;
    if (known.size < MAX_KNOWN_HOSTS) known.add(host);
    return true;
  };
}

/**
 * Browsers send Sec-Fetch-Site to localhost and over TLS, and Origin with every request that is not GET or HEAD. One that
 * sends same-origin has compared the scheme, which the service does not know behind a proxy that it does not trust.
 */
function isCrossSite(request: FastifyRequest, corsOrigins: readonly string[]): boolean {
  const { origin, host, 'sec-fetch-site': site } = request.headers;
  if (origin === undefined && site === undefined) return false;
  if (corsOrigins.includes(sendingOrigin(request) ?? '')) return false;
  if (site === 'cross-site' || site === 'same-site') return true;
  const schemes = site === 'same-origin' ? ['http', 'https'] : [request.protocol];
  return origin !== undefined && !schemes.some((scheme) => origin === `${scheme}://${host}`);
}

function keysRequired(header: string): AtelierError {
  return new AtelierError(
    'keys-required',
    `The request came through a proxy, since it has the header ${header}, but no API keys are configured, so every ` +
      'client of the proxy could do everything. Set API_KEYS, or ALLOW_ANONYMOUS=true to permit that.',
  );
}

function hostNotAllowed(host: string, allowed: readonly string[]): AtelierError {
  return new AtelierError(
    'host-not-allowed',
    `The Host header is "${host}". Without API keys the service accepts ${allowed.join(', ')}. Use one of them, add ` +
      'the host to ALLOWED_HOSTS, or set API_KEYS.',
  );
}

/** Browsers omit Origin for links and images. Referer then has the origin, unless the page withholds it. */
function sendingOrigin({ headers: { origin, referer } }: FastifyRequest): string | undefined {
  return origin ?? URL.parse(referer ?? '')?.origin;
}

function crossSite(request: FastifyRequest): AtelierError {
  const advice = request.method === 'GET' ? 'Type or paste the address into your browser, or add' : 'Add';
  return new AtelierError(
    'cross-site-request',
    `A web page of ${sendingOrigin(request) ?? 'another origin'} sent this request. Without API keys, pages of other ` +
      'origins cannot change anything, nor start evaluations, calibrations and trainings. ' +
      `${advice} the origin of the page to CORS_ORIGINS, or set API_KEYS.`,
  );
}
