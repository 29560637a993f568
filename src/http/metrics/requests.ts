/** Metrics of requests: count, duration and status by route; apart from them, responses that stay open. */
import type { FastifyInstance, FastifyReply, onResponseHookHandler } from 'fastify';
import { Gauge, Histogram, type Registry } from 'prom-client';
import type { OnTimeout } from '../errors/client-error.ts';
import { onceClosed } from '../hooks/connections/client.ts';
import { type Buckets, CountedHistogram } from './counted-histogram.ts';

/** Responses that stay open by design: streams of events, and requests that are waiting for the end of a job. */
export const STREAM_KINDS = ['events', 'wait'] as const;
export type StreamKind = (typeof STREAM_KINDS)[number];

declare module 'fastify' {
  interface FastifyReply {
    /** Counts the response among the open ones of its kind, and not in the durations of requests. */
    countAsStream(kind: StreamKind): void;
    isStream: boolean;
  }
}

/** Range: from the fastest prediction to the slowest gradient check. */
const BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const STREAM_BUCKETS_SECONDS = [0.1, 1, 5, 15, 30, 60, 300, 900, 3600, 14_400];
/** One label for all unknown paths, because clients choose them freely. */
const UNMATCHED = 'unmatched';

export interface Duration {
  observe(seconds: number): void;
}
type DurationFor = (route: string, method: string, status: number) => Duration;

export interface RequestMeter {
  readonly duration: DurationFor;
  /** Counts an open response until the returned function is called. */
  openStream(kind: StreamKind): () => void;
}

export function createRequestMeter(registry: Registry): RequestMeter {
  const registers = [registry];
  const durations = new Map<string, Buckets & Duration>();
  new CountedHistogram(
    {
      name: 'atelier_http_request_duration_seconds',
      help: 'Time from the headers of a request to the end of its response, without streams; _count is the number of requests.',
      bounds: BUCKETS_SECONDS,
    },
    registry,
    () => durations.values(),
  );
  const open = new Gauge({
    name: 'atelier_http_streams',
    help: 'Open responses: streams of events, and requests that are waiting for a job (Prefer: wait).',
    labelNames: ['kind'],
    registers,
  });
  const streamed = new Histogram({
    name: 'atelier_http_stream_duration_seconds',
    help: 'Time that streams of events, and requests that waited for a job, were open; _count is their number.',
    labelNames: ['kind'],
    buckets: STREAM_BUCKETS_SECONDS,
    registers,
  });
  for (const kind of STREAM_KINDS) {
    open.set({ kind }, 0);
    streamed.zero({ kind });
  }
  return {
    duration(route, method, status) {
      const key = `${status} ${method} ${route}`;
      const known = durations.get(key) ?? countDurations({ route, method, status: String(status) });
      durations.set(key, known);
      return known;
    },
    openStream(kind) {
      open.inc({ kind });
      const end = streamed.startTimer({ kind });
      return () => {
        open.dec({ kind });
        end();
      };
    },
  };
}

/** Counts directly: `observe` of prom-client compares and joins the labels each time. */
function countDurations(labels: Buckets['labels']): Buckets & Duration {
  const counts = BUCKETS_SECONDS.map(() => 0);
  // Above all bounds.
  counts.push(0);
  return {
    labels,
    counts,
    sum: 0,
    observe(this: { sum: number }, seconds) {
      let bucket = 0;
      while (seconds > BUCKETS_SECONDS[bucket]!) bucket++;
      counts[bucket]! += 1;
      this.sum += seconds;
    },
  };
}

/** The path of a route as OpenAPI writes it: `/v1/models/:name(^[^:/]+)::predict` is `/v1/models/{name}:predict`. */
function pathTemplate(route: string): string {
  return route.replaceAll(/(?<!:):(\w+)(?:\([^)]*\))?/g, '{$1}').replaceAll('::', ':');
}

/** The histogram of each route, method and status is looked up once instead of once per request. */
export function measureRequests(
  app: FastifyInstance,
  { duration: durationFor, openStream }: RequestMeter,
): void {
  app.decorateReply('isStream', false);
  app.decorateReply('countAsStream', function countAsStream(kind) {
    this.isStream = true;
    onceClosed(this, openStream(kind));
  });

  function meter(route: string, method: string): (reply: FastifyReply) => void {
    const byStatus = new Map<number, Duration>();
    return (reply) => {
      const { statusCode } = reply;
      if (reply.isStream) return;
      let duration = byStatus.get(statusCode);
      if (duration === undefined) {
        duration = durationFor(route, method, statusCode);
        byStatus.set(statusCode, duration);
      }
      duration.observe(reply.elapsedTime / 1000);
    };
  }

  app.addHook('onRoute', (route) => {
    const meters = new Map(
      [route.method].flat().map((method) => [method, meter(pathTemplate(route.url), method)]),
    );
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

/** Counts the 408 responses that are written to the connection directly. Fastify's hooks do not see them. */
export function countTimeouts({ duration }: RequestMeter): OnTimeout {
  return ({ request, elapsedTime }) => {
    const { url } = request.routeOptions;
    const [route, method] = url === undefined ? [UNMATCHED, 'any'] : [pathTemplate(url), request.method];
    duration(route, method, 408).observe(elapsedTime / 1000);
  };
}
