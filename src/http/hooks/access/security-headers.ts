/** Security headers of every response, rendered by helmet once. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';

/** For responses that are not pages: nothing in them may load, run, be framed, or be sniffed as another type. */
export const SECURITY_HEADERS = renderHeaders({
  useDefaults: false,
  directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
});

/**
 * Content-Security-Policy of /docs, a page with its own scripts and inline styles. Without upgrade-insecure-requests,
 * because the page is also served over plain HTTP.
 */
export const DOCS_PAGE_POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  // Responses that are images are shown as blobs.
  'img-src': "'self' data: blob:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
} as const;

/** Content-Security-Policy of the page at `/`: its own script and style sheet, no inline ones, and no HTML from text. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

export function sendSecurityHeaders(app: FastifyInstance): void {
  const headers = Object.entries(SECURITY_HEADERS);
  app.addHook('onRequest', (_request, reply, done) => {
    for (let n = 0; n < headers.length; n++) reply.header(headers[n]![0], headers[n]![1]);
    done();
  });
}

/** Computed once: a helmet hook would take as long as a prediction to compute the same headers for every request. */
function renderHeaders(
  contentSecurityPolicy: NonNullable<Parameters<typeof helmet.contentSecurityPolicy>[0]>,
): Readonly<Record<string, string>> {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const setHeaders = helmet({
    contentSecurityPolicy,
    // Left to the proxy that terminates TLS.
    strictTransportSecurity: false,
    // Only relevant for pages with links, or for obsolete browsers.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    referrerPolicy: false,
    xFrameOptions: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
  setHeaders(response.req, response, () => {});
  return Object.freeze(response.getHeaders() as Record<string, string>);
}
