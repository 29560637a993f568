/** Errors of the command line client, and their messages. */
import type { Problem } from '../src/http/errors/problem.ts';

/** Wrong arguments, or a file that cannot be read. */
export class UsageError extends Error {}

/** The service could not be reached, or the connection was lost before the response. */
export class ConnectionError extends Error {}

/** The service, or a proxy before it, sent an error. */
export class ResponseError extends Error {
  readonly status: number;
  /** The error as sent; null if it is not a problem document, as from a proxy. */
  readonly problem: Problem | null;
  /** Milliseconds to wait before a repeat; null if the response does not say. */
  readonly retryAfterMs: number | null;

  constructor(status: number, problem: Problem | null, retryAfterMs: number | null) {
    super(
      problem ? formatProblem(problem) : `The response has status ${status}, without a problem document.`,
    );
    this.status = status;
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The detail of a problem, and a line for each location. The detail of many problems lists the locations as well. */
function formatProblem({ detail, errors = [] }: Problem): string {
  const lines = errors.map((error) => {
    return `${'pointer' in error ? error.pointer : error.parameter}: ${error.detail}`;
  });
  const rest = lines.reduce((text, line) => text.replace(` ${line}`, ''), detail);
  return [rest, ...lines.map((line) => `  ${line}`)].join('\n');
}

/**
 * Reads an error response.
 * @param now milliseconds since 1970, for a `Retry-After` that is a date
 */
export async function readError(response: Response, now: number): Promise<ResponseError> {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json');
  // The connection can be lost before the end of the body.
  const body = await response.json().catch(() => null);
  const after = response.headers.get('retry-after');
  return new ResponseError(
    response.status,
    isProblem ? (body as Problem | null) : null,
    after === null ? null : parseRetryAfter(after, now),
  );
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
function parseRetryAfter(value: string, now: number): number | null {
  const milliseconds = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(milliseconds) ? null : Math.max(0, milliseconds);
}
