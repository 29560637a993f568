/** What browsers are told of every answer. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';

/** For answers that are no pages: nothing in them may load, run, be framed, or be taken for another type. */
export const SECURITY_HEADERS = renderHeaders({
  useDefaults: false,
  directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
});

/**
 * The page of /docs: its own scripts, and the styles that they set. It is read over plain HTTP too, so that nothing says
 * upgrade-insecure-requests.
 */
export const DOCS_PAGE_POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
} as const;

/** Asked of helmet once: it would make the same anew for every request, which takes as long as a prediction. */
function renderHeaders(
  contentSecurityPolicy: NonNullable<Parameters<typeof helmet.contentSecurityPolicy>[0]>,
): Readonly<Record<string, string>> {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const setHeaders = helmet({
    contentSecurityPolicy,
    // A matter of whoever terminates TLS.
    strictTransportSecurity: false,
    // Of pages with links, and of browsers that nobody uses any more.
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
