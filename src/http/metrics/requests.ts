/** Metrics of requests: count, duration and status by route. */
import type { FastifyInstance, FastifyReply, onResponseHookHandler } from 'fastify';
import { Histogram, type Registry } from 'prom-client';
import type { OnTimeout } from '../errors/client-error.ts';

/** Range: from the fastest prediction to the slowest gradient check. */
const BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** One label for all unknown paths, which clients choose freely. */
const UNMATCHED = 'unmatched';

export interface Duration {
  observe(seconds: number): void;
}
export type DurationFor = (route: string, method: string, status: number) => Duration;

export function requestDurations(registry: Registry): DurationFor {
  const durations = new Histogram({
    name: 'atelier_http_request_duration_seconds',
    help: 'Time from the headers of a request to the end of its response; _count is the number of requests.',
    labelNames: ['route', 'method', 'status'],
    buckets: BUCKETS_SECONDS,
    registers: [registry],
  });
  return (route, method, status) => durations.labels(route, method, String(status));
}

/** The histogram of each route, method and status is looked up once instead of once per request. */
export function measureRequests(app: FastifyInstance, durationFor: DurationFor): void {
  function meter(route: string, method: string): (reply: FastifyReply) => void {
    const byStatus = new Map<number, Duration>();
    return (reply) => {
      const { statusCode } = reply;
      let duration = byStatus.get(statusCode);
      if (duration === undefined) {
        duration = durationFor(route, method, statusCode);
        byStatus.set(statusCode, duration);
      }
      duration.observe(reply.elapsedTime / 1000);
    };
  }

  app.addHook('onRoute', (route) => {
    const meters = new Map([route.method].flat().map((method) => [method, meter(route.url, method)]));
    // A hook per route, so that no request has to look up its route.
    const measure: onResponseHookHandler = (request, reply, done) => {
      meters.get(request.method)?.(reply);
      done();
    };
    route.onResponse = [measure, ...[route.onResponse ?? []].flat()];
  });
  const unmatched = meter(UNMATCHED, 'any');
  app.addHook('onResponse', (request, reply, done) => {
    if (request.is404) unmatched(reply);
    done();
  });
}

/** Counts the 408 responses that are written to the connection directly, which Fastify's hooks do not see. */
export function countTimeouts(durationFor: DurationFor): OnTimeout {
  return ({ request, elapsedTime }) => {
    const { url = UNMATCHED } = request.routeOptions;
    durationFor(url, url === UNMATCHED ? 'any' : request.method, 408).observe(elapsedTime / 1000);
  };
}
