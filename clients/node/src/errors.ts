/** Errors of the client, and repeats of requests whose error can pass. */
import { setTimeout as wait } from 'node:timers/promises';
import type { components } from './api.d.ts';

export type Problem = components['schemas']['Problem'];
export type TrainingJob = components['schemas']['TrainingJob'];

/** Statuses after which the same request can succeed. */
const TRANSIENT = [429, 502, 503, 504];
/** Longest time to repeat a request: while the service sends errors, and while it cannot be reached. */
const PATIENCE_MS = { response: 60_000, connection: 5_000 };
const FIRST_BACKOFF_MS = 250;

/** The service, or a proxy before it, rejected a request. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly status: number;
  /** The problem document (RFC 9457); null if a proxy sent the response. */
  readonly problem: Problem | null;
  readonly retryAfterMs: number | null;

  constructor({ status, headers }: Response, body: unknown) {
    const isProblem = headers.get('content-type')?.startsWith('application/problem+json') ?? false;
    const problem = isProblem ? (body as Problem) : null;
    super(problem ? describe(problem) : `The response has status ${status}, without a problem document.`);
    this.status = status;
    this.problem = problem;
    this.retryAfterMs = readRetryAfter(headers.get('retry-after'));
  }

  /** Whether the same request can succeed later. */
  get isTransient(): boolean {
    return TRANSIENT.includes(this.status) || this.problem?.code === 'request-in-flight';
  }
}

/** The service could not be reached, or the connection was lost. The cause is the TypeError of fetch. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';

  constructor(cause: TypeError) {
    const { code } = (cause.cause ?? {}) as NodeJS.ErrnoException;
    super(`The service cannot be reached: ${code ?? cause.message}.`, { cause });
  }
}

/** The job failed or was cancelled. */
export class JobFailed extends Error {
  override readonly name = 'JobFailed';
  readonly job: TrainingJob;

  constructor(job: TrainingJob) {
    const { id, status, error } = job;
    super(`The job ${id} ${error ? `failed: ${error.message} (${error.code})` : `is ${status}.`}`);
    this.job = job;
  }
}

/** The detail, and a line for each place in the request that is wrong. */
function describe({ detail, errors = [] }: Problem): string {
  const places = errors.map(
    (error) => `${'pointer' in error ? error.pointer : error.parameter}: ${error.detail}`,
  );
  const rest = places.reduce((text, place) => text.replace(` ${place}`, ''), detail);
  return [rest, ...places].join('\n  ');
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
function readRetryAfter(value: string | null): number | null {
  if (value === null) return null;
  const milliseconds = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(milliseconds) ? null : Math.max(0, milliseconds);
}

/** Whether the connection failed, which fetch reports as a TypeError. */
export const isLost = (error: unknown): error is TypeError => error instanceof TypeError;

export interface Reply<Data> {
  readonly data?: Data;
  readonly error?: unknown;
  readonly response: Response;
}

/**
 * Sends a request, and again while its error can pass.
 * @returns the data of the response
 * @throws ServiceError, Unreachable
 */
export async function send<Data>(request: () => Promise<Reply<Data>>): Promise<Data> {
  const start = performance.now();
  for (let backoff = FIRST_BACKOFF_MS; ; backoff *= 2) {
    let [delay, patience] = [backoff, PATIENCE_MS.connection];
    try {
      const { data, error, response } = await request();
      if (data !== undefined) return data;
      throw new ServiceError(response, error);
    } catch (error) {
      if (error instanceof ServiceError && error.isTransient) {
        [delay, patience] = [error.retryAfterMs ?? backoff, PATIENCE_MS.response];
      } else if (!isLost(error)) throw error;
      if (performance.now() - start + delay > patience) throw isLost(error) ? new Unreachable(error) : error;
    }
    await wait(delay);
  }
}
